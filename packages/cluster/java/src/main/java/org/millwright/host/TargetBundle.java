package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Records on their way to one subtask. As bytes: a key group of that subtask (uint32), the number of records (uint32), the length of
 * the lines (uint32), nothing (uint32); then columns of append times (float64), offsets (float64), places (uint32), key groups (uint32);
 * then the values, each as a line that ends in a newline.
 */
final class TargetBundle {
    private static final int NEWLINE = '\n';

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
     * Adds a record.
     *
     * @param record as {@link InputRecords} makes it
     * @param valueStart where its value begins
     * @param valueEnd where its value ends, or is cut
     */
    void add(int keyGroup, byte[] record, int valueStart, int valueEnd) {
        ByteBuffer head = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
        double appendTimeMs = head.getDouble(InputRecords.APPEND_TIME);
        double offset = head.getDouble(InputRecords.OFFSET);
        add(keyGroup, appendTimeMs, offset, head.getInt(InputRecords.PLACE), record, valueStart, valueEnd);
    }

    /** Adds a record whose value is {@code bytes[valueStart..valueEnd)}. */
    void add(int keyGroup, double appendTimeMs, double offset, int place, byte[] bytes, int valueStart, int valueEnd) {
        int length = valueEnd - valueStart;
        if (lineBytes + length + 1 > lines.length) {
            lines = java.util.Arrays.copyOf(lines, Math.max(2 * lines.length, lineBytes + length + 1));
        }
        System.arraycopy(bytes, valueStart, lines, lineBytes, length);
        // In JSON a newline is white space or an error, and so is a carriage return: the value stays what it is.
        for (int i = lineBytes; i < lineBytes + length; i++) {
            if (lines[i] == NEWLINE) {
                lines[i] = '\r';
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
