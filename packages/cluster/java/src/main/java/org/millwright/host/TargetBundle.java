package org.millwright.host;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Records on their way to one subtask. As bytes: a key group of that subtask (uint32), the number of records (uint32), the length of
 * the lines (uint32), nothing (uint32); then columns of append times (float64), offsets (float64), places (uint32), key groups (uint32);
 * then the values, each as a line that ends in a newline.
 */
final class TargetBundle {
    private static final int NEWLINE = '\n';
    private static final long NEWLINES = 0x0a0a0a0a0a0a0a0aL;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final double[] appendTimes;
    private final double[] offsets;
    private final int[] places;
    private final int[] keyGroups;
    private byte[] lines;
    private int lineBytes;
    private int count;

    TargetBundle(int recordsMax, int lineBytesExpected) {
        appendTimes = new double[recordsMax];
        offsets = new double[recordsMax];
        places = new int[recordsMax];
        keyGroups = new int[recordsMax];
        lines = new byte[lineBytesExpected];
    }

    int count() {
        return count;
    }

    int lineBytes() {
        return lineBytes;
    }

    boolean isFull() {
        return count == appendTimes.length;
    }

    /**
     * Adds a record whose value is {@code bytes[valueStart..valueEnd)}.
     *
     * @param appendTimeMs milliseconds; NaN where there is none
     */
    void add(int keyGroup, double appendTimeMs, double offset, int place, byte[] bytes, int valueStart, int valueEnd) {
        int length = valueEnd - valueStart;
        if (lineBytes + length + 1 > lines.length) {
            lines = java.util.Arrays.copyOf(lines, Math.max(2 * lines.length, lineBytes + length + 1));
        }
        System.arraycopy(bytes, valueStart, lines, lineBytes, length);
        if (hasNewline(lines, lineBytes, lineBytes + length)) {
            // In JSON a newline is white space or an error, and so is a carriage return: the value stays what it is.
            for (int i = lineBytes; i < lineBytes + length; i++) {
                if (lines[i] == NEWLINE) {
                    lines[i] = '\r';
                }
            }
        }
        lines[lineBytes + length] = NEWLINE;
        lineBytes += length + 1;
        appendTimes[count] = appendTimeMs;
        offsets[count] = offset;
        places[count] = place;
        keyGroups[count] = keyGroup;
        count += 1;
    }

    /** Whether a newline stands in {@code bytes[from..end)}: eight bytes at a time, by the test of a word for a zero byte. */
    static boolean hasNewline(byte[] bytes, int from, int end) {
        int at = from;
        for (; at + 8 <= end; at += 8) {
            long differing = (long) LONG.get(bytes, at) ^ NEWLINES;
            if ((differing - 0x0101010101010101L & ~differing & 0x8080808080808080L) != 0) {
                return true;
            }
        }
        for (; at < end; at++) {
            if (bytes[at] == NEWLINE) {
                return true;
            }
        }
        return false;
    }

    /** Returns the bundle, which is not empty, and begins a new one. */
    byte[] take() {
        byte[] bytes = new byte[Bridge.BUNDLE_HEAD_BYTES + 24 * count + lineBytes];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(keyGroups[0]).putInt(count).putInt(lineBytes).putInt(0);
        for (int i = 0; i < count; i++) {
            buffer.putDouble(appendTimes[i]);
        }
        for (int i = 0; i < count; i++) {
            buffer.putDouble(offsets[i]);
        }
        for (int i = 0; i < count; i++) {
            buffer.putInt(places[i]);
        }
        for (int i = 0; i < count; i++) {
            buffer.putInt(keyGroups[i]);
        }
        buffer.put(lines, 0, lineBytes);
        count = 0;
        lineBytes = 0;
        return bytes;
    }
}
