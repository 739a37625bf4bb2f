package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PlaceTimesTest {
    @Test
    void hasNoTimeBeforeAPlaceGaveOne() {
        PlaceTimes times = new PlaceTimes(reached -> {});
        assertTrue(Double.isNaN(times.earliestMs()));
        times.note(7, Double.NaN);
        assertTrue(Double.isNaN(times.earliestMs()));
    }

    @Test
    void tellsOfEachPlaceOnceAndHowFarItIs() {
        List<PlaceTimes.Reached> told = new ArrayList<>();
        PlaceTimes times = new PlaceTimes(told::add);
        times.note(3, 10);
        times.note(4, 7);
        times.note(3, 12);
        assertEquals(List.of(3, 4), told.stream().map(reached -> reached.place).toList());
        assertEquals(List.of(12.0, 7.0), told.stream().map(PlaceTimes.Reached::timeMs).toList());
    }

    @Test
    void isTheLeastOfThePlacesGreatestTimes() {
        Random random = new Random(7);
        for (int run = 0; run < 50; run++) {
            PlaceTimes times = new PlaceTimes(reached -> {});
            Map<Integer, Double> greatest = new HashMap<>();
            int placeCount = 1 + random.nextInt(30);
            for (int record = 0; record < 200; record++) {
                int place = random.nextInt(placeCount) << 16 | random.nextInt(2);
                double time = random.nextInt(10) == 0 ? Double.NaN : random.nextInt(1000);
                times.note(place, time);
                if (!Double.isNaN(time)) {
                    greatest.merge(place, time, Math::max);
                }
                double wanted = greatest.values().stream().min(Double::compare).orElse(Double.NaN);
                assertEquals(wanted, times.earliestMs());
            }
        }
    }
}
