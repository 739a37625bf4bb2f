package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.util.clock.RelativeClock;
import org.junit.jupiter.api.Test;

class LogTimeTest {
    private long nowMs;

    @Test
    void aSubtaskWithoutPartitionsIsIdleOnceNoneCanBeOnItsWay() {
        WatermarkGenerator<InputRecord> own = new LogTime(0, 0).createWatermarkGenerator(context());
        nowMs += LogTime.ASSIGNED_WITHIN_MS - 1;
        assertEquals(List.of(), emitted(own));
        nowMs += 1;
        assertEquals(List.of("idle"), emitted(own));
    }

    @Test
    void aSubtaskWithPartitionsLeavesTimeToThem() {
        LogTime time = new LogTime(0, 0);
        WatermarkGenerator<InputRecord> own = time.createWatermarkGenerator(context());
        time.createWatermarkGenerator(context());
        nowMs += LogTime.ASSIGNED_WITHIN_MS;
        assertEquals(List.of(), emitted(own));
    }

    @Test
    void noPartitionIsReadFurtherAheadThanItMay() {
        assertFalse(new LogTime(0, 0).getAlignmentParameters().isEnabled());
        assertEquals(60_000, new LogTime(0, 60_000).getAlignmentParameters().getMaxAllowedWatermarkDrift());
    }

    @Test
    void aPartitionHasComeToTheGreatestAppendTime() {
        WatermarkGenerator<InputRecord> partition = partition(0);
        nowMs = 1_000_000;
        assertEquals(List.of(Long.toString(Long.MIN_VALUE)), emitted(partition));
        partition.onEvent(null, 7, null);
        partition.onEvent(null, 5, null);
        nowMs += 1_000_000;
        assertEquals(List.of("7"), emitted(partition));
    }

    @Test
    void aPartitionIsIdleAfterAWhileOnlyWhereThatIsWanted() {
        WatermarkGenerator<InputRecord> partition = partition(1000);
        partition.onEvent(null, 7, null);
        nowMs += 999;
        assertEquals(List.of("7"), emitted(partition));
        nowMs += 1;
        assertEquals(List.of("idle"), emitted(partition));
        partition.onEvent(null, 8, null);
        assertEquals(List.of("8"), emitted(partition));
    }

    private WatermarkGenerator<InputRecord> partition(long idleAfterMs) {
        LogTime time = new LogTime(idleAfterMs, 0);
        time.createWatermarkGenerator(context());
        return time.createWatermarkGenerator(context());
    }

    private static List<String> emitted(WatermarkGenerator<InputRecord> generator) {
        List<String> emitted = new ArrayList<>();
        generator.onPeriodicEmit(new WatermarkOutput() {
            @Override
            public void emitWatermark(Watermark watermark) {
                emitted.add(Long.toString(watermark.getTimestamp()));
            }

            @Override
            public void markIdle() {
                emitted.add("idle");
            }

            @Override
            public void markActive() {
                emitted.add("active");
            }
        });
        return emitted;
    }

    private WatermarkGeneratorSupplier.Context context() {
        return new WatermarkGeneratorSupplier.Context() {
            @Override
            public MetricGroup getMetricGroup() {
                return new UnregisteredMetricsGroup();
            }

            @Override
            public RelativeClock getInputActivityClock() {
                return new RelativeClock() {
                    @Override
                    public long relativeTimeMillis() {
                        return nowMs;
                    }

                    @Override
                    public long relativeTimeNanos() {
                        return nowMs * 1_000_000;
                    }
                };
            }
        };
    }
}
