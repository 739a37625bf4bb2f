package org.millwright.host;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The greatest append time that each place has given. Records of one place come many at a time, and places are few: the one of the
 * record before is looked at first.
 */
final class PlaceTimes {
    /** A place that has given a time. */
    static final class Reached {
        final int place;
        private double timeMs = Double.NEGATIVE_INFINITY;

        private Reached(int place) {
            this.place = place;
        }

        /** May be asked for from another thread, which then sees the time of a moment ago. */
        double timeMs() {
            return timeMs;
        }
    }

    private final Consumer<Reached> onNew;
    private Reached[] places = {};
    private Reached last = new Reached(-1);

    /** @param onNew told of each place when it gives its first time */
    PlaceTimes(Consumer<Reached> onNew) {
        this.onNew = onNew;
    }

    /** A record of a place was appended then; without an append time (NaN) it says nothing. */
    void note(int place, double appendTimeMs) {
        if (Double.isNaN(appendTimeMs)) {
            return;
        }
        if (last.place != place) {
            last = reachedOf(place);
        }
        if (appendTimeMs > last.timeMs) {
            last.timeMs = appendTimeMs;
        }
    }

    /** The time that all places have come to; NaN where none has given one. */
    double earliestMs() {
        return Arrays.stream(places).mapToDouble(Reached::timeMs).min().orElse(Double.NaN);
    }

    private Reached reachedOf(int place) {
        for (Reached reached : places) {
            if (reached.place == place) {
                return reached;
            }
        }
        Reached first = new Reached(place);
        places = Arrays.copyOf(places, places.length + 1);
        places[places.length - 1] = first;
        onNew.accept(first);
        return first;
    }
}
