package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;

class KeyRoomTest {
    private static final int GROUPS = 128;

    @Test
    void hasRoomForTheFullNumberAndForLittleMore() {
        for (int keysMax : new int[] {1, 10, 100, 1_000, 30_000, 300_000}) {
            KeyRoom room = new KeyRoom(keysMax, GROUPS, KeyGroupRange.of(0, GROUPS - 1));
            for (int i = 0; i < keysMax; i++) {
                assertTrue(room.begin("device-" + i), keysMax + " keys");
            }
            assertEquals(keysMax, room.count());
        }
        assertEquals(8349, KeyRoom.keysOfGroupMax(1_000_000, GROUPS), "of a million");
    }

    @Test
    void answersTheSameHoweverTheGroupsAreShared() {
        KeyRoom whole = new KeyRoom(100, GROUPS, KeyGroupRange.of(0, GROUPS - 1));
        List<KeyRoom> parts = new ArrayList<>();
        for (int subtask = 0; subtask < 5; subtask++) {
            parts.add(new KeyRoom(100, GROUPS, KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(GROUPS, 5, subtask)));
        }
        int refused = 0;
        for (int i = 0; i < 5000; i++) {
            String key = "device-" + i;
            boolean begins = whole.begin(key);
            assertEquals(begins, partOf(key, parts).begin(key), key);
            refused += begins ? 0 : 1;
            if (begins && i % 7 == 0) {
                whole.end(key);
                partOf(key, parts).end(key);
            }
        }
        assertTrue(refused > 1000, refused + " refused");
        assertEquals(whole.count(), parts.stream().mapToLong(KeyRoom::count).sum());
    }

    @Test
    void keepsItsCountsOverASnapshotOfAllParts() {
        KeyRoom before = new KeyRoom(1, GROUPS, KeyGroupRange.of(0, GROUPS - 1));
        long room = KeyRoom.keysOfGroupMax(1, GROUPS);
        for (int i = 0; i < room; i++) {
            assertTrue(before.begin("a"));
        }
        int group = KeyGroupRangeAssignment.assignToKeyGroup("a", GROUPS);
        KeyRoom after = new KeyRoom(1, GROUPS, KeyGroupRange.of(group, GROUPS - 1));
        after.restore(before.snapshot());
        assertEquals(room, after.count());
        assertFalse(after.begin("a"));
        after.end("a");
        assertTrue(after.begin("a"));
    }

    @Test
    void hasAlwaysRoomWhereNoBoundIsSaid() {
        KeyRoom room = new KeyRoom(0, 1, KeyGroupRange.of(0, 0));
        for (int i = 0; i < 100_000; i++) {
            assertTrue(room.begin("a"));
        }
    }

    private static KeyRoom partOf(String key, List<KeyRoom> parts) {
        int group = KeyGroupRangeAssignment.assignToKeyGroup(key, GROUPS);
        return parts.get(KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(GROUPS, parts.size(), group));
    }
}
