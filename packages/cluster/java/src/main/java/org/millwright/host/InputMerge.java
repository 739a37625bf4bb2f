package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeMap;

/**
 * Puts the records of several inputs into one order: that of their append times, as if they had been one log.
 *
 * <p>M1. A record leaves when time has gone beyond it in every partition of every input: so nothing that comes later belongs before it,
 * not even one that was appended in the same millisecond. Hence the order is the same however quickly each partition was read.
 * <p>M2. Records of one partition keep their order, also where their append times fall.
 * <p>M3. What has not left is in the state at a barrier, with its key group: after a rescaling each subtask takes what is its own.
 * <p>M4. How much waits is bounded by whoever feeds it: sources that are ahead are paused ({@link LogTime}).
 */
final class InputMerge {
    /** By partition: the records that wait, oldest first. */
    private final TreeMap<Integer, Deque<HeldRecord>> held = new TreeMap<>();
    private int count;

    int size() {
        return count;
    }

    /** Takes the records of a bundle. */
    void add(byte[] bundle) {
        ByteBuffer columns = ByteBuffer.wrap(bundle).order(ByteOrder.LITTLE_ENDIAN);
        int records = columns.getInt(4);
        int offsets = Bridge.BUNDLE_HEAD_BYTES + 8 * records;
        int places = offsets + 8 * records;
        int keyGroups = places + 4 * records;
        int start = keyGroups + 4 * records;
        for (int i = 0; i < records; i++) {
            int end = start;
            while (bundle[end] != '\n') {
                end += 1;
            }
            add(HeldRecord.of(
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

    /** Takes the records of the state, from which several subtasks of before may have come: their parts are in no order. */
    void restore(Collection<HeldRecord> records) {
        records.stream().sorted(Comparator.comparingDouble(HeldRecord::offset)).forEach(this::add);
    }

    private void add(HeldRecord record) {
        held.computeIfAbsent(record.place(), place -> new ArrayDeque<>()).addLast(record);
        count += 1;
    }

    /** Returns the records that time has gone beyond, in order. */
    List<HeldRecord> take(long watermarkMs) {
        List<HeldRecord> due = new ArrayList<>();
        // The first one of each partition: few, however many wait.
        PriorityQueue<HeldRecord> first = new PriorityQueue<>(HeldRecord.ORDER);
        held.values().stream().filter(waiting -> !waiting.isEmpty()).forEach(waiting -> first.add(waiting.peekFirst()));
        while (!first.isEmpty() && first.peek().isDue(watermarkMs)) {
            HeldRecord record = first.poll();
            due.add(record);
            Deque<HeldRecord> waiting = held.get(record.place());
            waiting.removeFirst();
            if (!waiting.isEmpty()) {
                first.add(waiting.peekFirst());
            }
        }
        count -= due.size();
        return due;
    }

    /** What waits, for the state. */
    List<byte[]> waiting() {
        List<byte[]> bytes = new ArrayList<>(count);
        held.values().forEach(waiting -> waiting.forEach(record -> bytes.add(record.bytes())));
        return bytes;
    }
}
