package org.millwright.host;

import java.util.Arrays;

/**
 * The greatest append time that each place has given. Records of one place come many at a time, and places are few: the one of the
 * record before is looked at first.
 */
final class PlaceTimes {
    private int[] places = new int[8];
    private double[] reachedMs = new double[8];
    private int count;
    private int last;

    /** A record of a place was appended then; without an append time (NaN) it says nothing. */
    void note(int place, double appendTimeMs) {
        if (Double.isNaN(appendTimeMs)) {
            return;
        }
        if (last >= count || places[last] != place) {
            last = indexOf(place);
        }
        if (appendTimeMs > reachedMs[last]) {
            reachedMs[last] = appendTimeMs;
        }
    }

    /** The time that all places have come to; NaN where none has given one. */
    double earliestMs() {
        double earliest = Double.NaN;
        for (int i = 0; i < count; i++) {
            earliest = i == 0 ? reachedMs[i] : Math.min(earliest, reachedMs[i]);
        }
        return earliest;
    }

    private int indexOf(int place) {
        for (int i = 0; i < count; i++) {
            if (places[i] == place) {
                return i;
            }
        }
        if (count == places.length) {
            places = Arrays.copyOf(places, 2 * count);
            reachedMs = Arrays.copyOf(reachedMs, 2 * count);
        }
        places[count] = place;
        reachedMs[count] = Double.NEGATIVE_INFINITY;
        count += 1;
        return count - 1;
    }
}
