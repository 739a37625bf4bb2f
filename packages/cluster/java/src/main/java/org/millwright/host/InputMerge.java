package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts the records of several inputs into one order: that of their append times, as if they had been one log.
 *
 * <p>M1. A record leaves when time has come to it in every partition of every input; so nothing that comes later belongs before it.
 * <p>M2. What has not left is in the state at a barrier, with its key group: after a rescaling each subtask takes what is its own.
 */
final class InputMerge {
    private List<HeldRecord> held = new ArrayList<>();

    int size() {
        return held.size();
    }

    /** Takes the records of a bundle. */
    void add(byte[] bundle) {
        ByteBuffer columns = ByteBuffer.wrap(bundle).order(ByteOrder.LITTLE_ENDIAN);
        int count = columns.getInt(4);
        int offsets = Bridge.BUNDLE_HEAD_BYTES + 8 * count;
        int places = offsets + 8 * count;
        int keyGroups = places + 4 * count;
        int start = keyGroups + 4 * count;
        for (int i = 0; i < count; i++) {
            int end = start;
            while (bundle[end] != '\n') {
                end += 1;
            }
            held.add(HeldRecord.of(
                    columns.getDouble(Bridge.BUNDLE_HEAD_BYTES + 8 * i),
                    columns.getDouble(offsets + 8 * i),
                    columns.getInt(places + 4 * i),
                    columns.getInt(keyGroups + 4 * i),
                    bundle,
                    start,
                    end));
            start = end + 1;
        }
    }

    /** Takes a record of the state. */
    void add(HeldRecord record) {
        held.add(record);
    }

    /** Returns the records that time has come to, in order. */
    List<HeldRecord> take(long watermarkMs) {
        List<HeldRecord> due = new ArrayList<>();
        List<HeldRecord> left = new ArrayList<>();
        for (HeldRecord record : held) {
            (record.isDue(watermarkMs) ? due : left).add(record);
        }
        held = left;
        due.sort(HeldRecord.ORDER);
        return due;
    }

    /** What waits, for the state. */
    List<byte[]> waiting() {
        return held.stream().map(HeldRecord::bytes).toList();
    }
}
