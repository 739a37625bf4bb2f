package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.state.BroadcastState;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.BasicTypeInfo;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedMultiInput;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * Hands bundles to the guest, and keeps for it what must outlive it: the states of keys, their timers, control records.
 *
 * <p>G1. What was taken is processed before each watermark, control record, barrier and end, and a while after it came at the latest.
 * <p>G2. At a barrier every changed state has been written back: Flink's state is whole.
 * <p>G3. Control records that are there when the task starts are taken before the first bundle; each is taken once.
 * <p>G4. A timer goes off when every record before its time was processed, and before this watermark goes on.
 * <p>G5. Where inputs are merged, bundles are made of records that time has gone beyond, in its order ({@link InputMerge}).
 * <p>G6. What a control record brings about is given once: a restart gives the guest those of the state again, and drops what it says to
 * them. Another script may say something else, and is heard.
 * <p>G7. A record is processed, and a timer goes off, only when the control records were taken that had been appended
 * {@link JobOptions#controlLagMs} before it: which of them concern it does not hang on which of two topics was read first.
 * <p>G8. A record begins a key only where its key group has room ({@link KeyRoom}); the guest is told of the others.
 */
final class GuestOperator extends AbstractStreamOperator<byte[]>
        implements TwoInputStreamOperator<byte[], byte[], byte[]>, Triggerable<String, VoidNamespace>, BoundedMultiInput {
    private static final long serialVersionUID = 1L;
    private static final int WRITE_BACK_SLICE = 4096;
    private static final long METRICS_EVERY_MS = 5000;
    /** No two machines' clocks are further apart; only what is older than that is known to be old without asking. */
    private static final long CLOCKS_APART_MS_MAX = 10_000;
    private static final byte[] NOTHING = {};

    private final JobOptions options;
    private final GuestScript script;
    private final ControlLog controlLog;

    private transient Guest guest;
    private transient FrameWriter frames;
    private transient ValueState<byte[]> state;
    private transient InternalTimerService<VoidNamespace> timers;
    private transient BroadcastState<String, byte[]> control;
    private transient ListState<byte[]> heldState;
    /** Digest of the script that took the control records of the state. */
    private transient ListState<byte[]> scriptState;
    private transient ListState<Long> keyCountState;
    private transient KeyRoom room;
    private transient InputMerge merge;
    private transient ControlLog.Reader controlReader;
    private transient Map<Integer, Long> controlReached;
    /** Every control record appended before that was taken (G7). */
    private transient double controlKnownMs;
    /** Whether outputs were given by the run before (G6). */
    private transient boolean outputsWereGiven;
    private transient List<byte[]> bundle;
    private transient int bundleRecords;
    private transient int bundleLineBytes;
    private transient boolean flushIsDue;
    private transient List<byte[]> unknownKeys;
    private transient List<String> dueKeys;
    private transient long stateWrites;
    private transient GuestMetrics guestMetrics;
    /** Read by whoever looks at metrics. */
    private transient volatile long timeReachedMs;
    private transient volatile long keyCount;
    private transient Counter recordsIn;
    private transient Counter recordsOut;
    private transient Counter statesRead;
    private transient Counter statesWritten;
    private transient Counter bundles;
    private transient Counter prepareNanos;
    private transient Counter processNanos;
    private transient Histogram bundleSizes;

    GuestOperator(StreamOperatorParameters<byte[]> parameters, JobOptions options, GuestScript script, ControlLog controlLog) {
        super(parameters);
        this.options = options;
        this.script = script;
        this.controlLog = controlLog;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        control = context.getOperatorStateStore().getBroadcastState(new MapStateDescriptor<>(
                "control", BasicTypeInfo.STRING_TYPE_INFO, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        // Every subtask sees all of it when it starts, and takes its own key groups.
        heldState = context.getOperatorStateStore().getUnionListState(
                new ListStateDescriptor<>("held", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        scriptState = context.getOperatorStateStore().getUnionListState(
                new ListStateDescriptor<>("script", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        keyCountState = context.getOperatorStateStore().getUnionListState(
                new ListStateDescriptor<>("key-counts", BasicTypeInfo.LONG_TYPE_INFO));
        merge = new InputMerge();
        List<HeldRecord> own = new ArrayList<>();
        for (byte[] bytes : heldState.get()) {
            HeldRecord record = HeldRecord.of(bytes);
            if (isOwn(record.keyGroup())) {
                own.add(record);
            }
        }
        merge.restore(own);
    }

    @Override
    public void open() throws Exception {
        super.open();
        bundle = new ArrayList<>();
        unknownKeys = new ArrayList<>();
        dueKeys = new ArrayList<>();
        state = getRuntimeContext().getState(new ValueStateDescriptor<>("key", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        timers = getInternalTimerService("key", VoidNamespaceSerializer.INSTANCE, this);
        room = openRoom();
        registerMetrics();
        guest = Guest.open(script, options, getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(), this::frame);
        frames = new FrameWriter(guest.input());
        takeControlLog();
        if (!options.mergeInputs()) {
            // The job before held them; to this one nothing is early. They come before whatever is read after them.
            addMerged(Long.MAX_VALUE);
        }
        reportMetrics();
    }

    private KeyRoom openRoom() throws Exception {
        TaskInfo task = getRuntimeContext().getTaskInfo();
        KeyRoom opened = new KeyRoom(options.keysMax(), task.getMaxNumberOfParallelSubtasks(), KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(
                task.getMaxNumberOfParallelSubtasks(), task.getNumberOfParallelSubtasks(), task.getIndexOfThisSubtask()));
        Iterable<Long> kept = keyCountState.get();
        if (kept.iterator().hasNext()) {
            opened.restore(kept);
        } else {
            // Nothing, or the state of a release that did not count.
            try (var keys = this.<String>getKeyedStateBackend().<VoidNamespace>getKeys("key", VoidNamespace.INSTANCE)) {
                keys.forEach(opened::add);
            }
        }
        return opened;
    }

    private boolean isOwn(int keyGroup) {
        TaskInfo task = getRuntimeContext().getTaskInfo();
        int subtask = KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(
                task.getMaxNumberOfParallelSubtasks(), task.getNumberOfParallelSubtasks(), keyGroup);
        return subtask == task.getIndexOfThisSubtask();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        heldState.update(merge.waiting());
        scriptState.update(List.of(script.digest()));
        keyCountState.update(room.snapshot());
    }

    private void registerMetrics() {
        recordsIn = getMetricGroup().counter("guest_records_in_total");
        recordsOut = getMetricGroup().counter("guest_records_out_total");
        statesRead = getMetricGroup().counter("guest_states_read_total");
        statesWritten = getMetricGroup().counter("guest_states_written_total");
        bundles = getMetricGroup().counter("guest_bundles_total");
        prepareNanos = getMetricGroup().counter("guest_prepare_nanos_total");
        processNanos = getMetricGroup().counter("guest_process_nanos_total");
        bundleSizes = getMetricGroup().histogram("guest_bundle_records", new DescriptiveStatisticsHistogram(256));
        getMetricGroup().gauge("guest_records_held", () -> merge.size());
        getMetricGroup().gauge("guest_keys", () -> keyCount);
        // Flink's own gauge is the smaller one of both inputs, and control records have no time.
        getMetricGroup().gauge("guest_time_reached_ms", () -> timeReachedMs);
        getMetricGroup().gauge("guest_heap_used_bytes", () -> {
            Guest running = guest;
            return running == null ? 0L : running.usedHeapBytes();
        });
        getMetricGroup().gauge("guest_external_bytes", () -> {
            Guest running = guest;
            return running == null ? 0L : running.externalBytes();
        });
        guestMetrics = new GuestMetrics(getMetricGroup());
    }

    /** Takes the control records of the state (G6), and those that came since (G3). */
    private void takeControlLog() throws Exception {
        controlReached = new HashMap<>();
        List<ControlRecord> known = new ArrayList<>();
        for (Map.Entry<String, byte[]> entry : control.entries()) {
            ControlRecord record = ControlRecord.of(entry.getValue());
            known.add(record);
            controlReached.merge(record.partition(), record.offset(), Math::max);
        }
        outputsWereGiven = isScriptOfState();
        giveControl(known);
        outputsWereGiven = false;
        controlReader = controlLog.open();
        controlKnownMs = Double.NEGATIVE_INFINITY;
        takeControlSince();
    }

    /** Sees to it that the control records were taken which may concern what was appended then (G7). */
    private void takeControlFor(double appendTimeMs) throws Exception {
        // NaN is no time, and concerns nothing.
        if (!(appendTimeMs > controlKnownMs + options.controlLagMs())) {
            return;
        }
        takeControlSince();
        // It was appended before the topic was asked for its end. While old records are caught up with, once is enough.
        controlKnownMs = Math.max(appendTimeMs, getProcessingTimeService().getCurrentProcessingTime() - CLOCKS_APART_MS_MAX);
    }

    private void takeControlSince() throws Exception {
        List<ControlRecord> since = new ArrayList<>();
        for (byte[] bytes : controlReader.read(controlReached)) {
            ControlRecord record = ControlRecord.of(bytes);
            if (isNew(record)) {
                since.add(record);
            }
        }
        for (ControlRecord record : since) {
            controlReached.merge(record.partition(), record.offset(), Math::max);
            keepControl(record);
        }
        giveControl(since);
    }

    private boolean isNew(ControlRecord record) {
        Long reached = controlReached.get(record.partition());
        return reached == null || record.offset() > reached;
    }

    private boolean isScriptOfState() throws Exception {
        boolean some = false;
        for (byte[] digest : scriptState.get()) {
            if (!Arrays.equals(digest, script.digest())) {
                return false;
            }
            some = true;
        }
        return some;
    }

    private void giveControl(List<ControlRecord> records) throws Exception {
        if (records.isEmpty()) {
            return;
        }
        records.sort(ControlRecord.ORDER);
        frames.begin();
        for (ControlRecord record : records) {
            frames.frame(Bridge.FRAME_CONTROL, guest::control, record.bytes());
        }
        frames.finish(guest::control);
    }

    private void keepControl(ControlRecord record) throws Exception {
        if (record.deleted()) {
            control.remove(record.key());
        } else {
            control.put(record.key(), record.bytes());
        }
    }

    @Override
    public void processElement1(StreamRecord<byte[]> element) throws Exception {
        if (options.mergeInputs()) {
            merge.add(element.getValue());
        } else {
            add(element.getValue());
        }
    }

    private void add(byte[] records) throws Exception {
        ByteBuffer head = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
        int count = head.getInt(4);
        int lineBytes = head.getInt(8);
        boolean fits = bundleRecords + count <= Bridge.BUNDLE_RECORDS_MAX
                && bundleLineBytes + lineBytes <= Bridge.BUFFER_BYTES - Bridge.LINES_OFFSET;
        if (!fits) {
            flush();
        }
        bundle.add(records);
        bundleRecords += count;
        bundleLineBytes += lineBytes;
        if (bundleRecords >= options.bundleRecords()) {
            flush();
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
    public void processElement2(StreamRecord<byte[]> element) throws Exception {
        ControlRecord record = ControlRecord.of(element.getValue());
        if (!isNew(record)) {
            return;
        }
        flush();
        // The flush may have taken it.
        if (!isNew(record)) {
            return;
        }
        controlReached.put(record.partition(), record.offset());
        keepControl(record);
        giveControl(new ArrayList<>(List.of(record)));
    }

    @Override
    public void processWatermark1(Watermark watermark) throws Exception {
        timeReachedMs = watermark.getTimestamp();
        addMerged(watermark.getTimestamp());
        flush();
        // The end of the input is no time: nothing falls silent by it.
        if (watermark.getTimestamp() != Watermark.MAX_WATERMARK.getTimestamp()) {
            takeControlFor(watermark.getTimestamp());
            getTimeServiceManager().orElseThrow().advanceWatermark(watermark);
            actOnKeys(dueKeys, Bridge.PURPOSE_TIMER, watermark.getTimestamp());
            dueKeys.clear();
            guest.timeCame(watermark.getTimestamp());
        }
        output.emitWatermark(watermark);
    }

    /** Takes what was waiting for time to go beyond it. */
    private void addMerged(long watermarkMs) throws Exception {
        if (merge.size() == 0) {
            return;
        }
        TargetBundle due = new TargetBundle(options.bundleRecords(), options.bundleBytes());
        for (HeldRecord record : merge.take(watermarkMs)) {
            record.addTo(due);
            if (due.isFull() || due.lineBytes() >= options.bundleBytes()) {
                add(due.take());
            }
        }
        if (due.count() > 0) {
            add(due.take());
        }
    }

    /** Control records carry no time. */
    @Override
    public void processWatermark2(Watermark watermark) {}

    @Override
    protected void processWatermarkStatus(WatermarkStatus status, int index) {
        if (index == 0) {
            output.emitWatermarkStatus(status);
        }
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        flush();
        writeBack();
    }

    @Override
    public void endInput(int inputId) throws Exception {
        if (inputId != 1) {
            return;
        }
        if (options.endsWithInput()) {
            addMerged(Long.MAX_VALUE);
        }
        flush();
        writeBack();
        if (!options.endsWithInput()) {
            return;
        }
        // The list is taken whole: acting on keys changes what is walked over.
        List<String> keys;
        try (var stream = this.<String>getKeyedStateBackend().<VoidNamespace>getKeys("key", VoidNamespace.INSTANCE)) {
            keys = stream.toList();
        }
        actOnKeys(keys, Bridge.PURPOSE_END, Double.NaN);
        writeBack();
    }

    @Override
    public void onEventTime(InternalTimer<String, VoidNamespace> timer) {
        dueKeys.add(timer.getKey());
    }

    @Override
    public void onProcessingTime(InternalTimer<String, VoidNamespace> timer) {
        throw new IllegalStateException("No timer must be of processing time");
    }

    /** The key of a bundle is that of each of its records, one after another. */
    @Override
    public void setKeyContextElement1(StreamRecord element) {}

    @Override
    public void setKeyContextElement2(StreamRecord element) {}

    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    @Override
    public boolean hasKeyContext2() {
        return false;
    }

    @Override
    public void close() throws Exception {
        try (ControlLog.Reader reader = controlReader) {
            if (guest != null) {
                Guest closing = guest;
                guest = null;
                closing.close();
            }
        } finally {
            super.close();
        }
    }

    private void flush() throws Exception {
        if (bundleRecords == 0) {
            return;
        }
        takeControlFor(newestAppendTimeMs());
        writeBundle();
        long began = System.nanoTime();
        guest.prepare(bundleRecords, bundleLineBytes);
        prepareNanos.inc(System.nanoTime() - began);
        if (giveStates(true)) {
            // The states stood where the bundle was.
            writeBundle();
        }
        began = System.nanoTime();
        guest.process(bundleRecords, bundleLineBytes);
        processNanos.inc(System.nanoTime() - began);
        bundles.inc();
        recordsIn.inc(bundleRecords);
        bundleSizes.update(bundleRecords);
        bundle.clear();
        bundleRecords = 0;
        bundleLineBytes = 0;
    }

    /** Of the bundle; NaN where no record has one. */
    private double newestAppendTimeMs() {
        double newest = Double.NaN;
        for (byte[] records : bundle) {
            ByteBuffer columns = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
            int end = Bridge.BUNDLE_HEAD_BYTES + 8 * columns.getInt(4);
            for (int at = Bridge.BUNDLE_HEAD_BYTES; at < end; at += 8) {
                double appendTimeMs = columns.getDouble(at);
                // So that the first one that is a number takes the place of NaN.
                if (!(appendTimeMs <= newest)) {
                    newest = Double.isNaN(appendTimeMs) ? newest : appendTimeMs;
                }
            }
        }
        return newest;
    }

    private void writeBundle() {
        ByteBuffer input = guest.input();
        int record = 0;
        int line = Bridge.LINES_OFFSET;
        for (byte[] records : bundle) {
            ByteBuffer head = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
            int count = head.getInt(4);
            int lineBytes = head.getInt(8);
            int at = Bridge.BUNDLE_HEAD_BYTES;
            input.put(Bridge.APPEND_TIMES_OFFSET + 8 * record, records, at, 8 * count);
            input.put(Bridge.OFFSETS_OFFSET + 8 * record, records, at + 8 * count, 8 * count);
            input.put(Bridge.PLACES_OFFSET + 4 * record, records, at + 16 * count, 4 * count);
            input.put(line, records, at + 24 * count, lineBytes);
            record += count;
            line += lineBytes;
        }
    }

    private void actOnKeys(List<String> keys, int purpose, double nowMs) throws Exception {
        for (int from = 0; from < keys.size(); from += Bridge.BUNDLE_RECORDS_MAX) {
            frames.begin();
            for (String key : keys.subList(from, Math.min(keys.size(), from + Bridge.BUNDLE_RECORDS_MAX))) {
                frames.frame(Bridge.FRAME_KEY, this::keysAreOneCall, key.getBytes(StandardCharsets.UTF_8));
            }
            frames.finish(byteLength -> guest.keys(byteLength, purpose));
            giveStates(false);
            guest.act(nowMs);
        }
    }

    /** Keys are so short that a call's fit the input. */
    private void keysAreOneCall(int byteLength) {
        throw new IllegalStateException("The keys of a call must fit the input: " + byteLength + " bytes");
    }

    /**
     * Gives the states that the guest asked for; returns whether there were any.
     *
     * @param mayBegin whether keys without a state are to begin (G8)
     */
    private boolean giveStates(boolean mayBegin) throws Exception {
        if (unknownKeys.isEmpty()) {
            return false;
        }
        List<byte[]> wanted = unknownKeys;
        unknownKeys = new ArrayList<>();
        frames.begin();
        for (byte[] key : wanted) {
            String name = new String(key, StandardCharsets.UTF_8);
            setCurrentKey(name);
            byte[] value = state.value();
            if (value == null && mayBegin && !room.begin(name)) {
                frames.frame(Bridge.FRAME_REFUSED_KEY, guest::states, key);
                continue;
            }
            byte[] keyLength = {(byte) key.length, (byte) (key.length >>> 8)};
            frames.frame(Bridge.FRAME_STATE, guest::states, keyLength, key, value == null ? NOTHING : value);
        }
        frames.finish(guest::states);
        statesRead.inc(wanted.size());
        return true;
    }

    private void writeBack() throws Exception {
        long before;
        do {
            before = stateWrites;
            guest.writeBack(WRITE_BACK_SLICE);
        } while (stateWrites != before);
    }

    private void frame(int kind, ByteBuffer payload) throws Exception {
        switch (kind) {
            case Bridge.FRAME_UNKNOWN_KEY -> unknownKeys.add(rest(payload));
            case Bridge.FRAME_OUTPUT -> {
                if (outputsWereGiven) {
                    return;
                }
                output.collect(new StreamRecord<>(rest(payload)));
                recordsOut.inc();
            }
            case Bridge.FRAME_STATE_WRITE -> {
                String key = Guest.key(payload);
                setCurrentKey(key);
                if (payload.hasRemaining()) {
                    state.update(rest(payload));
                } else {
                    state.clear();
                    room.end(key);
                }
                stateWrites += 1;
                statesWritten.inc();
            }
            case Bridge.FRAME_TIMER -> {
                double atMs = payload.getDouble();
                double insteadOfMs = payload.getDouble();
                setCurrentKey(Guest.key(payload));
                if (!Double.isNaN(insteadOfMs)) {
                    timers.deleteEventTimeTimer(VoidNamespace.INSTANCE, (long) Math.ceil(insteadOfMs));
                }
                timers.registerEventTimeTimer(VoidNamespace.INSTANCE, (long) Math.ceil(atMs));
            }
            case Bridge.FRAME_COUNTERS -> guestMetrics.take(Guest.text(payload));
            default -> throw new IllegalStateException("A guest must not answer a frame of kind " + kind);
        }
    }

    private void reportMetrics() throws Exception {
        guest.counters();
        keyCount = room.count();
        long atMs = getProcessingTimeService().getCurrentProcessingTime() + METRICS_EVERY_MS;
        getProcessingTimeService().registerTimer(atMs, time -> reportMetrics());
    }

    private static byte[] rest(ByteBuffer payload) {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        return bytes;
    }
}
