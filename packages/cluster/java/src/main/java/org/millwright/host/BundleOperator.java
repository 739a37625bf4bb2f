package org.millwright.host;

import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Finds each record's key and packs the records of each target subtask together.
 *
 * <p>B1. A target's records keep their order, so a key's do.
 * <p>B2. Nothing is held back: a bundle leaves when it is full, a while after its first record, and before each watermark, barrier
 * and end.
 * <p>B3. Before the end of the input goes on, the time that all partitions of this subtask came to has gone on.
 */
final class BundleOperator extends AbstractStreamOperator<byte[]> implements OneInputStreamOperator<InputRecord, byte[]>, BoundedOneInput {
    private static final long serialVersionUID = 1L;

    private final JobOptions options;
    private transient KeyFinder keys;
    private transient TargetBundle[] targets;
    private transient boolean flushIsDue;
    private transient PlaceTimes reached;
    private transient Counter keyless;
    private transient Counter keyDiffers;
    private transient Counter cut;

    BundleOperator(StreamOperatorParameters<byte[]> parameters, JobOptions options) {
        super(parameters);
        this.options = options;
    }

    @Override
    public void open() throws Exception {
        super.open();
        reached = new PlaceTimes(this::showTime);
        keys = new KeyFinder(options.keyField());
        // The next task's subtasks: this task has one output.
        int targetCount = getContainingTask().getEnvironment().getAllWriters()[0].getNumberOfSubpartitions();
        targets = new TargetBundle[targetCount];
        for (int i = 0; i < targetCount; i++) {
            targets[i] = new TargetBundle(options.bundleRecords(), options.bundleBytes() + 4096);
        }
        keyless = getMetricGroup().counter("records_without_key_total");
        keyDiffers = getMetricGroup().counter("records_key_differs_total");
        cut = getMetricGroup().counter("records_cut_total");
    }

    /** Tells how far a partition has come: the slowest one holds time back for all. */
    private void showTime(PlaceTimes.Reached partition) {
        String topic = options.inputs().get(partition.place >>> Bridge.PLACE_PARTITION_BITS);
        int number = partition.place & (1 << Bridge.PLACE_PARTITION_BITS) - 1;
        getMetricGroup()
                .addGroup("topic", topic)
                .addGroup("partition", Integer.toString(number))
                .gauge("partition_time_reached_ms", () -> (long) partition.timeMs());
    }

    @Override
    public void processElement(StreamRecord<InputRecord> element) {
        InputRecord record = element.getValue();
        byte[] value = record.value();
        int valueEnd = value.length;
        reached.note(record.place(), record.appendTimeMs());
        if (valueEnd == 0) {
            // It carries time, which the watermark has.
            return;
        }
        keys.find(value, 0, valueEnd);
        byte[] key = record.key();
        if (!keys.found()) {
            keyless.inc();
        } else if (key.length > 0 && !keys.equals(key, 0, key.length)) {
            keyDiffers.inc();
        }
        if (valueEnd > options.recordBytesMax()) {
            cut.inc();
            valueEnd = options.recordBytesMax();
        }
        int keyGroup = KeyGroupRangeAssignment.computeKeyGroupForKeyHash(keys.hash(), options.maxParallelism());
        int target = KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(options.maxParallelism(), targets.length, keyGroup);
        TargetBundle bundle = targets[target];
        bundle.add(keyGroup, record.appendTimeMs(), record.offset(), record.place(), value, 0, valueEnd);
        if (bundle.isFull() || bundle.lineBytes() >= options.bundleBytes()) {
            send(bundle);
        } else if (!flushIsDue) {
            flushIsDue = true;
            long atMs = getProcessingTimeService().getCurrentProcessingTime() + options.flushIntervalMs();
            getProcessingTimeService().registerTimer(atMs, time -> {
                flushIsDue = false;
                flush();
            });
        }
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
        flush();
        double allReachedMs = reached.earliestMs();
        if (watermark.getTimestamp() == Watermark.MAX_WATERMARK.getTimestamp() && !Double.isNaN(allReachedMs)) {
            super.processWatermark(new Watermark((long) allReachedMs));
        }
        super.processWatermark(watermark);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        flush();
    }

    @Override
    public void endInput() {
        flush();
    }

    private void flush() {
        for (TargetBundle bundle : targets) {
            send(bundle);
        }
    }

    private void send(TargetBundle bundle) {
        if (bundle.count() > 0) {
            output.collect(new StreamRecord<>(bundle.take()));
        }
    }
}
