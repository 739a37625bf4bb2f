package org.millwright.host;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.exceptions.JavetTerminatedException;
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
 * the task fails; but where it is one of the project's own functions that does not come back or fills the heap by itself, the guest goes on
 * without its record.
 * <p>V2. Everything made of V8 is closed, also where opening fails half way.
 * <p>V3. After a failure the guest is only closed.
 * <p>V4. A failure names the place in the sources and the record, as far as either is known ({@link GuestFailures}).
 */
final class Guest implements AutoCloseable {
    /**
     * Where V8 unrolls loops, it takes the check whether the call is to be ended out of those that it thinks short. It thinks so of some that are
     * not: one that only fills an array went on for good, and past any limit of the heap (V8 14.7).
     */
    private static final String ENDABLE_LOOPS = "--no-turboshaft-loop-unrolling";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final GuestScript script;
    private final CallLimits limits;
    private final long functionMsMax;
    private final int heapMaxMb;
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private V8Runtime runtime;
    private HeapLimit heap;
    private ByteBuffer input;
    private FrameReader frames;
    private FrameHandler handler;
    private GuestFailures failures;

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
    private V8ValueFunction resume;
    private V8ValueFunction more;

    private Guest(GuestScript script, JobOptions options) {
        this.script = script;
        this.functionMsMax = options.functionMsMax();
        this.limits = new CallLimits(options.callMsMax(), functionMsMax, () -> runtime.terminateExecution());
        this.failures = new GuestFailures(script, options.callMsMax());
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
                V8RuntimeOptions.V8_FLAGS.setCustomFlags(ENDABLE_LOOPS);
            }
            runtime = V8Host.getV8Instance().createV8Runtime();
        }
        closing.push(runtime);
        closing.push(this::letGo);
        heap = HeapLimit.watch(runtime, limits::heapIsFull);
        failures.heapIs(heap);
        CallWatchdog.watch(limits);
        closing.push(() -> CallWatchdog.unwatch(limits));
        HostFunctions.install(runtime);
        limits.begin();
        try {
            runtime.getExecutor(script.source()).setResourceName(GuestScript.NAME).executeVoid();
            limits.end();
        } catch (JavetException thrown) {
            throw failures.ofCall("The script cannot be run", thrown, limits.end());
        }
        functions = closed(runtime.getGlobalObject().get("millwright"));
        failures.askOf(functions);
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
        resume = function("resume");
        more = function("more");
        V8ValueArrayBuffer inputBuffer = closed(runtime.createV8ValueArrayBuffer(Bridge.BUFFER_BYTES));
        V8ValueArrayBuffer resultBuffer = closed(runtime.createV8ValueArrayBuffer(Bridge.BUFFER_BYTES));
        input = inputBuffer.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        frames = new FrameReader(resultBuffer.getByteBuffer(), this::frame);
        limits.watchProjectCalls(resultBuffer.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
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
        return HeapLimit.usedBytes(runtime);
    }

    /** Bytes outside V8's heap that its array buffers hold. */
    long externalBytes() {
        return HeapLimit.externalBytes(runtime);
    }

    private void call(V8ValueFunction function, Object... arguments) throws Exception {
        if (frames.read(invoke(function, arguments))) {
            while (frames.read(invoke(more))) {
                // The frames were taken; there are more.
            }
        }
    }

    /** Calls a function; where V8 ended it for what a project's function did, has the guest go on with the rest. */
    private int invoke(V8ValueFunction function, Object... arguments) throws GuestFailedException {
        V8ValueFunction called = function;
        Object[] given = arguments;
        while (true) {
            limits.begin();
            try {
                int answer = called.callInteger(functions, given);
                CallLimits.Reason reason = limits.end();
                if (reason != null) {
                    takeBackTheEnd(reason);
                }
                return answer;
            } catch (JavetTerminatedException terminated) {
                CallLimits.Reason reason = limits.end();
                String within = boundOfFunction(reason);
                if (within == null) {
                    throw failures.ofCall("The guest's call was ended", terminated, reason);
                }
                called = resume;
                given = new Object[] {"within " + within + failures.placeOfTheCallAtHand()};
            } catch (JavetException thrown) {
                throw failures.ofCall("The guest's call failed", thrown, limits.end());
            }
        }
    }

    /** What a project's function had, where it alone is to blame for the end of a call; {@code null} where it is not, and the task fails. */
    private String boundOfFunction(CallLimits.Reason reason) throws GuestFailedException {
        if (reason == null) {
            return null;
        }
        try {
            return switch (reason) {
                case FUNCTION_TOO_LONG -> functionMsMax + " ms of processor time";
                case FUNCTION_FILLED_HEAP -> heap.restore() ? heap.limitBytes() / (2 * 1024 * 1024) + " MB of memory" : null;
                case CALL_TOO_LONG, HEAP_FULL -> null;
            };
        } catch (JavetException thrown) {
            throw failures.ofCall("V8 does not go on", thrown, reason);
        }
    }

    /** The call came back while it was being ended: what V8 would do to the next one is done to an empty one. */
    private void takeBackTheEnd(CallLimits.Reason reason) throws GuestFailedException {
        try {
            try {
                runtime.getExecutor("0").executeVoid();
            } catch (JavetTerminatedException taken) {
                // As it was to be.
            }
            if (reason == CallLimits.Reason.HEAP_FULL || reason == CallLimits.Reason.FUNCTION_FILLED_HEAP) {
                heap.restore();
            }
        } catch (JavetException thrown) {
            throw failures.ofCall("V8 does not go on", thrown, reason);
        }
    }

    private void frame(int kind, ByteBuffer payload) throws Exception {
        if (kind == Bridge.FRAME_FAILURE) {
            byte[] json = new byte[payload.remaining()];
            payload.get(json);
            throw failures.ofGuest(JSON.readTree(json));
        }
        handler.frame(kind, payload);
    }

    private V8ValueFunction function(String name) throws JavetException {
        return closed(functions.get(name));
    }

    private <T extends AutoCloseable> T closed(T value) {
        closing.push(value);
        return value;
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
