package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PlaceTimesTest {
    @Test
    void hasNoTimeBeforeAPlaceGaveOne() {
        PlaceTimes times = new PlaceTimes();
        assertTrue(Double.isNaN(times.earliestMs()));
        times.note(7, Double.NaN);
        assertTrue(Double.isNaN(times.earliestMs()));
    }

    @Test
    void isTheLeastOfThePlacesGreatestTimes() {
        Random random = new Random(7);
        for (int run = 0; run < 50; run++) {
            PlaceTimes times = new PlaceTimes();
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
