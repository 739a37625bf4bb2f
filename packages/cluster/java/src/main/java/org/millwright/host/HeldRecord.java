package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Comparator;

/**
 * A record that waits until no earlier one of another input can come.
 *
 * @param bytes append time (float64), offset (float64), place (uint32), key group (uint32), value without a newline
 */
record HeldRecord(byte[] bytes, double appendTimeMs, double offset, int place, int keyGroup) {
    private static final int HEAD_BYTES = 24;

    /** By append time, then by topic, partition and offset. Records without a time come first: they wait for nothing. */
    static final Comparator<HeldRecord> ORDER = Comparator.<HeldRecord>comparingDouble(record -> Double.isNaN(record.appendTimeMs) ? Double.NEGATIVE_INFINITY : record.appendTimeMs)
            .thenComparingInt(HeldRecord::place)
            .thenComparingDouble(HeldRecord::offset);

    static HeldRecord of(byte[] bytes) {
        ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return new HeldRecord(bytes, head.getDouble(), head.getDouble(), head.getInt(), head.getInt());
    }

    /** Takes a record out of a bundle. */
    static HeldRecord of(double appendTimeMs, double offset, int place, int keyGroup, byte[] lines, int start, int end) {
        byte[] bytes = new byte[HEAD_BYTES + end - start];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
                .putDouble(appendTimeMs).putDouble(offset).putInt(place).putInt(keyGroup)
                .put(lines, start, end - start);
        return new HeldRecord(bytes, appendTimeMs, offset, place, keyGroup);
    }

    /** Whether time has gone beyond it: nothing can come before it. A record without an append time waits for none. */
    boolean isDue(long watermarkMs) {
        return !(appendTimeMs >= watermarkMs);
    }

    /** Puts the record into a bundle. */
    void addTo(TargetBundle bundle) {
        bundle.add(keyGroup, appendTimeMs, offset, place, bytes, HEAD_BYTES, bytes.length);
    }
}
