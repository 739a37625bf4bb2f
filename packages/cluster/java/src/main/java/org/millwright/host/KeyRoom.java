package org.millwright.host;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * How many keys the key groups of one subtask have, and whether there is room for more.
 *
 * <p>K1. Each key group has its own bound, so whether there is room for a key hangs on the keys of its group and on nothing else: not on how many
 * subtasks there are.
 * <p>K2. A key counts from when its state was first given until the guest lets go of it for good. At a barrier those are the keys with a state.
 * <p>K3. A key group that has come to its bound, or beyond it since the bound was lowered, keeps the keys that it has.
 */
final class KeyRoom {
    /**
     * Keys fall into groups by their hash, so some groups get more than others: a group has room for so many standard deviations more than its
     * part, and so many keys. A fleet of the full number is refused a key less than once in ten million times.
     */
    private static final int SLACK_DEVIATIONS = 6;

    private static final int SLACK_KEYS = 6;

    private final int groupCount;
    private final long keysOfGroupMax;
    private final KeyGroupRange groups;
    private final long[] counts;

    /**
     * @param keysMax of all groups; 0: as many as there are
     * @param groupCount key groups of the job
     * @param groups those of this subtask
     */
    KeyRoom(long keysMax, int groupCount, KeyGroupRange groups) {
        this.groupCount = groupCount;
        this.keysOfGroupMax = keysMax == 0 ? Long.MAX_VALUE : keysOfGroupMax(keysMax, groupCount);
        this.groups = groups;
        this.counts = new long[groups.getNumberOfKeyGroups()];
    }

    /** Keys that one group may have, where all of them together should have {@code keysMax}. */
    static long keysOfGroupMax(long keysMax, int groupCount) {
        double part = (double) keysMax / groupCount;
        return (long) Math.ceil(part + SLACK_DEVIATIONS * Math.sqrt(part) + SLACK_KEYS);
    }

    /** A key without a state is to begin. Returns whether there is room for it, and counts it then. */
    boolean begin(String key) {
        int at = indexOf(key);
        if (counts[at] >= keysOfGroupMax) {
            return false;
        }
        counts[at] += 1;
        return true;
    }

    /** A key that began is gone. */
    void end(String key) {
        counts[indexOf(key)] -= 1;
    }

    /** A key of the state, whether there is room for it or not. */
    void add(String key) {
        counts[indexOf(key)] += 1;
    }

    /** Keys of all groups of this subtask. */
    long count() {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }

    /** The counts as they are kept: one number a group, the group above 40 bits of its count. */
    List<Long> snapshot() {
        List<Long> kept = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            kept.add((long) (groups.getStartKeyGroup() + i) << 40 | counts[i]);
        }
        return kept;
    }

    /** Takes the counts of some groups; those of others are left out. */
    void restore(Iterable<Long> kept) {
        for (long each : kept) {
            int group = (int) (each >>> 40);
            if (groups.contains(group)) {
                counts[group - groups.getStartKeyGroup()] = each & (1L << 40) - 1;
            }
        }
    }

    private int indexOf(String key) {
        return KeyGroupRangeAssignment.assignToKeyGroup(key, groupCount) - groups.getStartKeyGroup();
    }
}
