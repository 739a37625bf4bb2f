package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InputMergeTest {
    private record Sent(int place, long offset, long appendTimeMs) {}

    /** M1, M2: in whatever interleaving partitions are read, and wherever it is cut by a restart, the order is the one of the logs. */
    @Test
    void givesOneOrderHoweverQuicklyEachPartitionIsRead() {
        Random random = new Random(11);
        for (int run = 0; run < 100; run++) {
            List<List<Sent>> logs = new ArrayList<>();
            for (int place = 0; place < 4; place++) {
                List<Sent> log = new ArrayList<>();
                long time = 0;
                for (int offset = 0; offset < 30; offset++) {
                    // Often the same millisecond, within a partition and across.
                    time += random.nextInt(3);
                    log.add(new Sent(place / 2 << 16 | place % 2, offset, time));
                }
                logs.add(log);
            }
            List<Sent> wanted = new ArrayList<>(logs.stream().flatMap(List::stream).toList());
            wanted.sort(java.util.Comparator.comparingLong(Sent::appendTimeMs).thenComparingInt(Sent::place).thenComparingLong(Sent::offset));

            int[] next = new int[logs.size()];
            List<Sent> found = new ArrayList<>();
            InputMerge merge = new InputMerge();
            for (int step = 0; step < 120; step++) {
                int place = random.nextInt(logs.size());
                for (int more = random.nextInt(4); more > 0 && next[place] < 30; more--, next[place]++) {
                    merge.add(bundle(logs.get(place).get(next[place])));
                }
                long reached = Long.MAX_VALUE;
                for (int i = 0; i < next.length; i++) {
                    reached = Math.min(reached, next[i] == 0 ? Long.MIN_VALUE : logs.get(i).get(next[i] - 1).appendTimeMs());
                }
                merge.take(reached).forEach(record -> found.add(sent(record)));
                if (random.nextInt(10) == 0) {
                    List<HeldRecord> waiting = new ArrayList<>(merge.waiting().stream().map(HeldRecord::of).toList());
                    Collections.shuffle(waiting, random);
                    assertEquals(waiting.size(), merge.size());
                    merge = new InputMerge();
                    merge.restore(waiting);
                }
            }
            for (int place = 0; place < next.length; place++) {
                for (; next[place] < 30; next[place]++) {
                    merge.add(bundle(logs.get(place).get(next[place])));
                }
            }
            merge.take(Long.MAX_VALUE).forEach(record -> found.add(sent(record)));
            assertEquals(wanted, found);
            assertEquals(0, merge.size());
        }
    }

    @Test
    void keepsTheOrderOfAPartitionWhoseAppendTimesFall() {
        InputMerge merge = new InputMerge();
        merge.add(bundle(new Sent(0, 0, 20)));
        merge.add(bundle(new Sent(0, 1, 10)));
        assertEquals(List.of(), merge.take(15));
        assertEquals(List.of(0L, 1L), merge.take(21).stream().map(record -> (long) record.offset()).toList());
    }

    private static byte[] bundle(Sent sent) {
        TargetBundle bundle = new TargetBundle(1, 64);
        byte[] value = "{}".getBytes(StandardCharsets.UTF_8);
        bundle.add(5, sent.appendTimeMs, sent.offset, sent.place, value, 0, value.length);
        return bundle.take();
    }

    private static Sent sent(HeldRecord record) {
        return new Sent(record.place(), (long) record.offset(), (long) record.appendTimeMs());
    }
}
