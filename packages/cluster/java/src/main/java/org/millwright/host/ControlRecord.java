package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;

/**
 * Looks into a control record, as {@link ControlRecords} makes it.
 *
 * @param bytes the record, which is also the payload of its frame
 * @param key its key; where it stands, for one that has none
 */
record ControlRecord(byte[] bytes, double appendTimeMs, long offset, int partition, String key, boolean deleted) {
    /** In the order in which they are to be taken. */
    static final Comparator<ControlRecord> ORDER =
            Comparator.comparingDouble(ControlRecord::appendTimeMs).thenComparingInt(ControlRecord::partition).thenComparingLong(ControlRecord::offset);

    static ControlRecord of(byte[] bytes) {
        ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long offset = (long) head.getDouble(ControlRecords.OFFSET);
        int partition = head.getInt(ControlRecords.PARTITION);
        int keyLength = Short.toUnsignedInt(head.getShort(ControlRecords.KEY_LENGTH));
        String key = keyLength == 0
                ? "#" + partition + "/" + offset
                : new String(bytes, ControlRecords.KEY, keyLength, StandardCharsets.UTF_8);
        boolean deleted = bytes.length == ControlRecords.KEY + keyLength;
        return new ControlRecord(bytes, head.getDouble(ControlRecords.APPEND_TIME), offset, partition, key, deleted);
    }
}
