package org.millwright.host;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.interop.V8Host;
import com.caoccao.javet.interop.V8Runtime;
import com.caoccao.javet.interop.options.V8RuntimeOptions;
import com.caoccao.javet.values.reference.V8ValueArrayBuffer;
import com.caoccao.javet.values.reference.V8ValueFunction;
import com.caoccao.javet.values.reference.V8ValueObject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * One guest in its own V8, used by one thread.
 *
 * <p>V1. Whatever the script does, the process lives: a heap that comes to its limit and a call that does not come back are ended, and
 * the task fails.
 * <p>V2. Everything made of V8 is closed, also where opening fails half way.
 * <p>V3. After a failure the guest is only closed.
 */
final class Guest implements AutoCloseable, CallWatchdog.Watched {
    /** What V8 may have beyond its limit to come back from a call that is ended. */
    private static final long HEAP_SPARE_BYTES = 64L * 1024 * 1024;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final GuestScript script;
    private final long callNanosMax;
    private final int heapMaxMb;
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private V8Runtime runtime;
    private ByteBuffer input;
    private FrameReader frames;
    private FrameHandler handler;
    private volatile long callBeganNanos;
    private volatile String endedBecause;

    private V8ValueObject functions;
    private V8ValueFunction control;
    private V8ValueFunction prepare;
    private V8ValueFunction keys;
    private V8ValueFunction states;
    private V8ValueFunction process;
    private V8ValueFunction act;
    private V8ValueFunction timeCame;
    private V8ValueFunction writeBack;
    private V8ValueFunction counters;
    private V8ValueFunction more;

    private Guest(GuestScript script, JobOptions options) {
        this.script = script;
        this.callNanosMax = options.callMsMax() * 1_000_000;
        this.heapMaxMb = options.heapMaxMb();
    }

    /**
     * Makes V8, runs the script, opens the guest.
     *
     * @param handler takes the frames of all answers
     */
    static Guest open(GuestScript script, JobOptions options, int subtask, FrameHandler handler) throws Exception {
        Guest guest = new Guest(script, options);
        try {
            guest.start(options, subtask, handler);
            return guest;
        } catch (Throwable failed) {
            guest.close();
            throw failed;
        }
    }

    private void start(JobOptions options, int subtask, FrameHandler frameHandler) throws Exception {
        handler = frameHandler;
        synchronized (Guest.class) {
            // Of the process: the first one decides, and the tasks of one cluster say the same.
            if (!V8RuntimeOptions.V8_FLAGS.isSealed()) {
                V8RuntimeOptions.V8_FLAGS.setMaxHeapSize(heapMaxMb);
            }
            runtime = V8Host.getV8Instance().createV8Runtime();
        }
        closing.push(runtime);
        closing.push(this::letGo);
        runtime.setNearHeapLimitCallback((current, initial) -> {
            endedBecause = "its heap came to its limit of " + initial / (1024 * 1024) + " MB";
            runtime.terminateExecution();
            return current + HEAP_SPARE_BYTES;
        });
        CallWatchdog.watch(this);
        closing.push(() -> CallWatchdog.unwatch(this));
        HostFunctions.install(runtime);
        callBeganNanos = System.nanoTime();
        try {
            runtime.getExecutor(script.source()).setResourceName(GuestScript.NAME).executeVoid();
        } catch (JavetException thrown) {
            throw ended("The script cannot be run", thrown);
        } finally {
            callBeganNanos = 0;
        }
        functions = closed(runtime.getGlobalObject().get("millwright"));
        int version = functions.invokeInteger("version");
        if (version != Bridge.BRIDGE_VERSION) {
            throw new GuestFailedException("The script must be of bridge version " + Bridge.BRIDGE_VERSION + ": found " + version
                    + ". It and this host are of different releases");
        }
        control = function("control");
        prepare = function("prepare");
        keys = function("keys");
        states = function("states");
        process = function("process");
        act = function("act");
        timeCame = function("timeCame");
        writeBack = function("writeBack");
        counters = function("counters");
        more = function("more");
        V8ValueArrayBuffer inputBuffer = closed(runtime.createV8ValueArrayBuffer(Bridge.BUFFER_BYTES));
        V8ValueArrayBuffer resultBuffer = closed(runtime.createV8ValueArrayBuffer(Bridge.BUFFER_BYTES));
        input = inputBuffer.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        frames = new FrameReader(resultBuffer.getByteBuffer(), this::frame);
        byte[] configuration = configuration(options, subtask);
        input.put(0, configuration);
        V8ValueFunction open = function("open");
        call(open, inputBuffer, resultBuffer, configuration.length);
    }

    private static byte[] configuration(JobOptions options, int subtask) throws Exception {
        var configuration = JSON.createObjectNode().put("subtask", subtask);
        options.inputs().forEach(configuration.putArray("inputs")::add);
        options.outputs().forEach(configuration.putArray("outputs")::add);
        configuration.put("cacheKeysMax", options.cacheKeysMax()).put("dirtyKeysMax", options.dirtyKeysMax());
        return JSON.writeValueAsBytes(configuration);
    }

    /** The input buffer, for what a call is to find there. */
    ByteBuffer input() {
        return input;
    }

    void control(int byteLength) throws Exception {
        call(control, byteLength);
    }

    void prepare(int recordCount, int lineBytes) throws Exception {
        call(prepare, recordCount, lineBytes);
    }

    void keys(int byteLength, int purpose) throws Exception {
        call(keys, byteLength, purpose);
    }

    void states(int byteLength) throws Exception {
        call(states, byteLength);
    }

    void process(int recordCount, int lineBytes) throws Exception {
        call(process, recordCount, lineBytes);
    }

    void act(double nowMs) throws Exception {
        call(act, nowMs);
    }

    void timeCame(double nowMs) throws Exception {
        call(timeCame, nowMs);
    }

    void writeBack(int countMax) throws Exception {
        call(writeBack, countMax);
    }

    void counters() throws Exception {
        call(counters);
    }

    /** Bytes of V8's heap in use. */
    long usedHeapBytes() {
        return runtime.getV8HeapStatistics().join().getUsedHeapSize();
    }

    private void call(V8ValueFunction function, Object... arguments) throws Exception {
        if (frames.read(invoke(function, arguments))) {
            while (frames.read(invoke(more))) {
                // The frames were taken; there are more.
            }
        }
    }

    private int invoke(V8ValueFunction function, Object... arguments) throws GuestFailedException {
        callBeganNanos = System.nanoTime();
        try {
            return function.callInteger(functions, arguments);
        } catch (JavetException thrown) {
            throw ended("The guest's call was ended", thrown);
        } finally {
            callBeganNanos = 0;
        }
    }

    private void frame(int kind, ByteBuffer payload) throws Exception {
        if (kind == Bridge.FRAME_FAILURE) {
            byte[] json = new byte[payload.remaining()];
            payload.get(json);
            throw failed(JSON.readTree(json));
        }
        handler.frame(kind, payload);
    }

    /** What the guest itself says of its failure, with places in the sources. */
    private GuestFailedException failed(JsonNode failure) {
        StringBuilder message = new StringBuilder(failure.path("name").asText()).append(": ").append(failure.path("message").asText());
        if (!failure.path("topic").isNull()) {
            message.append(" (at offset ").append(failure.path("offset").asLong())
                    .append(" of \"").append(failure.path("topic").asText())
                    .append("\", partition ").append(failure.path("partition").asInt()).append(')');
        }
        return new GuestFailedException(message + "\n" + inSources(failure.path("stack").asText()));
    }

    private String inSources(String stack) {
        try {
            return functions.invokeString("explain", stack, script.sourceMap());
        } catch (JavetException unexplained) {
            return stack;
        }
    }

    private GuestFailedException ended(String what, JavetException thrown) {
        String why = endedBecause;
        return new GuestFailedException(what + (why == null ? "" : ", since " + why) + ": " + thrown.getMessage(), thrown);
    }

    private V8ValueFunction function(String name) throws JavetException {
        return closed(functions.get(name));
    }

    private <T extends AutoCloseable> T closed(T value) {
        closing.push(value);
        return value;
    }

    @Override
    public long callBeganNanos() {
        return callBeganNanos;
    }

    @Override
    public long callNanosMax() {
        return callNanosMax;
    }

    @Override
    public void endCall() {
        endedBecause = "it took longer than " + callNanosMax / 1_000_000 + " ms";
        runtime.terminateExecution();
    }

    /** Takes away what the script holds, and has V8 collect it: what V8 holds of Java is given back only then. */
    private void letGo() throws JavetException {
        runtime.getGlobalObject().delete("millwright");
        runtime.getGlobalObject().delete("millwrightHost");
        runtime.lowMemoryNotification();
    }

    /** Closes everything of V8, last made first; one that fails keeps none of the others. */
    @Override
    public void close() throws Exception {
        Exception first = null;
        while (!closing.isEmpty()) {
            try {
                closing.pop().close();
            } catch (Exception failed) {
                if (first == null) {
                    first = failed;
                } else {
                    first.addSuppressed(failed);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** Text of what is left of a payload. */
    static String text(ByteBuffer payload) {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Takes a key from a payload: its length (uint16), then its bytes. */
    static String key(ByteBuffer payload) {
        byte[] bytes = new byte[Short.toUnsignedInt(payload.getShort())];
        payload.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
