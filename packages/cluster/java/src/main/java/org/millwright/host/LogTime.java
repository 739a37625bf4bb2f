package org.millwright.host;

import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkAlignmentParams;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.util.clock.RelativeClock;

/**
 * Time is what the logs say: a watermark T means that no record appended before T is to come.
 *
 * <p>L1. Append times do not fall within a partition, so a partition has come to the greatest one it has given.
 * <p>L2. A partition that has given nothing yet holds time back: that it has nothing, nobody knows. Whoever writes sees to it that
 * every partition goes on, with records or with empty ones.
 * <p>L3. A subtask that was given no partition within {@link #ASSIGNED_WITHIN_MS} of its start does not hold time back. Until then it
 * does: what it is given later may be older than what the others have read.
 * <p>L4. Where records wait for the watermark ({@link InputMerge}), no partition is read further ahead of the slowest one than
 * {@code aheadMsMax} of append time: it is paused until the others have come so far. So what waits is bounded, also while a long history
 * is caught up with. How far the others are is told every {@link #COMPARED_EVERY_MS}, so a job comes up to {@code aheadMsMax} further in
 * each such interval: a minute and 100 ms let it catch up some hundred times faster than records came.
 * <p>L5. Where L2 is given up, by {@code idleAfterMs}, a partition does not hold time back once nothing came of it for so long: timers may
 * then go off before records that were there, and what they bring about depends on how quickly a task read.
 */
final class LogTime implements WatermarkStrategy<InputRecord> {
    private static final long serialVersionUID = 1L;

    /** Processing time. Assigning takes a second or two; a task that restores has its partitions at once. */
    static final long ASSIGNED_WITHIN_MS = 10_000;

    /** Processing time. */
    static final long COMPARED_EVERY_MS = 100;

    private final long idleAfterMs;
    private final long aheadMsMax;
    /** Flink makes one generator for a subtask itself, which gets no records, before those of its partitions. */
    private transient Own own;

    /**
     * @param idleAfterMs processing time, milliseconds; 0: never (L2)
     * @param aheadMsMax append time, milliseconds; 0: as far as it comes (L4)
     */
    LogTime(long idleAfterMs, long aheadMsMax) {
        this.idleAfterMs = idleAfterMs;
        this.aheadMsMax = aheadMsMax;
    }

    @Override
    public WatermarkAlignmentParams getAlignmentParameters() {
        return aheadMsMax == 0
                ? WatermarkAlignmentParams.WATERMARK_ALIGNMENT_DISABLED
                : new WatermarkAlignmentParams(aheadMsMax, "records", COMPARED_EVERY_MS);
    }

    @Override
    public WatermarkGenerator<InputRecord> createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        RelativeClock clock = context.getInputActivityClock();
        if (own == null) {
            own = new Own(clock);
            return own;
        }
        own.hasPartitions = true;
        return new Greatest(clock, idleAfterMs);
    }

    /** Stands for the subtask itself, which gives nothing beside its partitions. */
    private static final class Own implements WatermarkGenerator<InputRecord> {
        private final RelativeClock clock;
        private final long startedMs;
        private boolean hasPartitions;

        Own(RelativeClock clock) {
            this.clock = clock;
            startedMs = clock.relativeTimeMillis();
        }

        @Override
        public void onEvent(InputRecord event, long eventTimestamp, WatermarkOutput output) {
            throw new IllegalStateException("A record must come from a partition");
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            if (!hasPartitions && clock.relativeTimeMillis() - startedMs >= ASSIGNED_WITHIN_MS) {
                output.markIdle();
            }
        }
    }

    /** Follows one partition. */
    private static final class Greatest implements WatermarkGenerator<InputRecord> {
        private final RelativeClock clock;
        private final long idleAfterMs;
        private long reached = Long.MIN_VALUE;
        private long heardMs;

        Greatest(RelativeClock clock, long idleAfterMs) {
            this.clock = clock;
            this.idleAfterMs = idleAfterMs;
            heardMs = clock.relativeTimeMillis();
        }

        @Override
        public void onEvent(InputRecord event, long eventTimestamp, WatermarkOutput output) {
            reached = Math.max(reached, eventTimestamp);
            if (idleAfterMs > 0) {
                // Only then: to look at a clock costs more than all the rest of this.
                heardMs = clock.relativeTimeMillis();
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            if (idleAfterMs > 0 && clock.relativeTimeMillis() - heardMs >= idleAfterMs) {
                output.markIdle();
            } else {
                output.emitWatermark(new Watermark(reached));
            }
        }
    }
}
