package org.millwright.host;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds the key of a record: the text under one name of the outermost object of its JSON.
 *
 * <p>K1. Of a value that is one JSON object, the key is what {@code JSON.parse} would give under the name: the last one counts where
 * there are several, escapes are read, names inside other values are not looked at.
 * <p>K2. Where there is no such text, the key is empty. What other values give is of no meaning: the guest refuses them.
 * <p>K3. A value that begins with the name and its text, and in which neither the name nor an escape comes again, is not walked through:
 * JSON can name the field once more only with the one or the other. Most devices write such values.
 */
final class KeyFinder {
    private static final int DEPTH_MAX = 1024;
    private static final long QUOTES = 0x2222222222222222L;
    private static final long BACKSLASHES = 0x5c5c5c5c5c5c5c5cL;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] name;
    /** How a value begins that has the field first, up to the text. */
    private final byte[] front;
    private byte[] bytes;
    private int at;
    private int end;
    private int keyStart;
    private int keyEnd;
    private boolean escaped;

    /** @param name of the field, ASCII without characters that JSON escapes */
    KeyFinder(String name) {
        this.name = name.getBytes(StandardCharsets.US_ASCII);
        front = ("{\"" + name + "\":\"").getBytes(StandardCharsets.US_ASCII);
    }

    /** Looks at the value in {@code bytes[start..end)}; {@link #hash} and {@link #key} then tell of its key. */
    void find(byte[] value, int start, int valueEnd) {
        bytes = value;
        at = start;
        end = valueEnd;
        keyStart = 0;
        keyEnd = 0;
        escaped = false;
        if (!isInFront()) {
            object();
        }
    }

    /** Takes the key of a value that need not be walked through (K3); returns whether it is one. */
    private boolean isInFront() {
        byte[] text = bytes;
        int start = at + front.length;
        if (start > end || !Arrays.equals(text, at, start, front, 0, front.length)) {
            return false;
        }
        int i = start;
        while (i < end && text[i] != '"' && text[i] != '\\') {
            i += 1;
        }
        if (i == end || text[i] != '"' || mayComeAgain(i + 1)) {
            return false;
        }
        keyStart = start;
        keyEnd = i;
        return true;
    }

    /** Whether an escape, or a text that begins as the name does, stands at {@code from} or later. Eight bytes at a time. */
    private boolean mayComeAgain(int from) {
        byte[] text = bytes;
        int stop = end;
        int i = from;
        for (; i + 8 <= stop; i += 8) {
            long word = (long) LONG.get(text, i);
            if (zeroBytes(word ^ BACKSLASHES) != 0) {
                return true;
            }
            for (long quotes = zeroBytes(word ^ QUOTES); quotes != 0; quotes &= quotes - 1) {
                if (isNameAt(i + (Long.numberOfTrailingZeros(quotes) >>> 3) + 1)) {
                    return true;
                }
            }
        }
        for (; i < stop; i++) {
            if (text[i] == '\\' || text[i] == '"' && isNameAt(i + 1)) {
                return true;
            }
        }
        return false;
    }

    private boolean isNameAt(int from) {
        int stop = from + name.length;
        return stop <= end && bytes[from] == name[0] && Arrays.equals(bytes, from, stop, name, 0, name.length);
    }

    /** The highest bit of each byte that is zero; perhaps also of bytes behind such a one. */
    private static long zeroBytes(long word) {
        return word - 0x0101010101010101L & ~word & 0x8080808080808080L;
    }

    /** The hash that Flink takes a key group from: that of the key as a {@link String}. */
    int hash() {
        int hash = 0;
        for (int i = keyStart; i < keyEnd; i++) {
            byte b = bytes[i];
            if (b < 0 || escaped) {
                return key().hashCode();
            }
            hash = 31 * hash + b;
        }
        return hash;
    }

    /** The key; empty where there is none. */
    String key() {
        if (!escaped) {
            return new String(bytes, keyStart, keyEnd - keyStart, StandardCharsets.UTF_8);
        }
        return unescape();
    }

    /** Whether the key is these bytes of {@code other}. */
    boolean equals(byte[] other, int start, int length) {
        byte[] key = escaped ? key().getBytes(StandardCharsets.UTF_8) : null;
        return key == null
                ? Arrays.equals(bytes, keyStart, keyEnd, other, start, start + length)
                : Arrays.equals(key, 0, key.length, other, start, start + length);
    }

    /** Whether there is a key. */
    boolean found() {
        return keyEnd > keyStart;
    }

    private void object() {
        if (skipSpace() != '{') {
            return;
        }
        at += 1;
        if (skipSpace() == '}') {
            return;
        }
        while (true) {
            if (skipSpace() != '"') {
                return;
            }
            boolean wanted = isName();
            if (skipSpace() != ':') {
                return;
            }
            at += 1;
            int first = skipSpace();
            if (first == '"') {
                int start = at + 1;
                boolean hasEscapes = skipString();
                if (wanted) {
                    keyStart = start;
                    keyEnd = Math.max(start, at - 1);
                    escaped = hasEscapes;
                }
            } else {
                if (wanted) {
                    keyStart = 0;
                    keyEnd = 0;
                    escaped = false;
                }
                if (!skipValue()) {
                    return;
                }
            }
            if (skipSpace() != ',') {
                return;
            }
            at += 1;
        }
    }

    /** Goes past white space; returns the byte there, -1 at the end. */
    private int skipSpace() {
        while (at < end) {
            byte b = bytes[at];
            if (b != ' ' && b != '\t' && b != '\n' && b != '\r') {
                return b;
            }
            at += 1;
        }
        return -1;
    }

    /** Goes past the string at hand, a name; returns whether it is the one wanted. */
    private boolean isName() {
        int start = at + 1;
        boolean hasEscapes = skipString();
        int length = at - 1 - start;
        if (hasEscapes) {
            return unescape(start, at - 1).equals(new String(name, StandardCharsets.US_ASCII));
        }
        if (length != name.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[start + i] != name[i]) {
                return false;
            }
        }
        return true;
    }

    /** Goes past the string at hand; returns whether it has escapes. */
    private boolean skipString() {
        // In local variables: fields would be written at each byte.
        byte[] text = bytes;
        int stop = end;
        int i = at + 1;
        boolean hasEscapes = false;
        while (i < stop && text[i] != '"') {
            if (text[i] == '\\') {
                hasEscapes = true;
                i += 1;
            }
            i += 1;
        }
        at = Math.min(i + 1, stop + 1);
        return hasEscapes;
    }

    /** Goes past a value that is no string; returns false where it has no end. */
    private boolean skipValue() {
        byte[] text = bytes;
        int stop = end;
        int i = at;
        // Numbers and words, which most values are: to the next comma or bracket.
        while (i < stop && text[i] != ',' && text[i] != '}' && text[i] != '{' && text[i] != '[' && text[i] != ']' && text[i] != '"') {
            i += 1;
        }
        at = i;
        if (i < stop && (text[i] == ',' || text[i] == '}')) {
            return true;
        }
        return skipNested();
    }

    /** Goes past a value that holds others. */
    private boolean skipNested() {
        int depth = 0;
        while (at < end) {
            byte b = bytes[at];
            if (b == '"') {
                skipString();
                continue;
            }
            if (b == '{' || b == '[') {
                depth += 1;
                if (depth > DEPTH_MAX) {
                    return false;
                }
            } else if (b == '}' || b == ']') {
                if (depth == 0) {
                    return true;
                }
                depth -= 1;
            } else if (b == ',' && depth == 0) {
                return true;
            }
            at += 1;
        }
        return false;
    }

    private String unescape() {
        return unescape(keyStart, keyEnd);
    }

    /** Reads a string's escapes; what is no escape stands for itself. */
    private String unescape(int start, int stop) {
        String text = new String(bytes, start, Math.max(0, stop - start), StandardCharsets.UTF_8);
        StringBuilder read = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 == text.length()) {
                read.append(c);
                continue;
            }
            i += 1;
            char escape = text.charAt(i);
            switch (escape) {
                case 'b' -> read.append('\b');
                case 'f' -> read.append('\f');
                case 'n' -> read.append('\n');
                case 'r' -> read.append('\r');
                case 't' -> read.append('\t');
                case 'u' -> {
                    int code = hex(text, i + 1);
                    if (code >= 0) {
                        read.append((char) code);
                        i += 4;
                    } else {
                        read.append(escape);
                    }
                }
                default -> read.append(escape);
            }
        }
        return read.toString();
    }

    /** Reads four hexadecimal digits; -1 where there are none. */
    private static int hex(String text, int from) {
        int code = 0;
        for (int i = from; i < from + 4; i++) {
            int digit = i < text.length() ? Character.digit(text.charAt(i), 16) : -1;
            if (digit < 0) {
                return -1;
            }
            code = code << 4 | digit;
        }
        return code;
    }
}
