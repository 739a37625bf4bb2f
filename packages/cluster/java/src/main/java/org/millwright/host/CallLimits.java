package org.millwright.host;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;

/**
 * When a guest's call is to be ended.
 *
 * <p>C1. A call that took more of the processor than it may is ended: the task fails.
 * <p>C2. A project's function that did so is ended sooner: its record is to blame. Not by the clock, since a machine that is busy or
 * stands still would then make dead letters of good records. One that is under way when the heap is full may be to blame for that
 * ({@link HeapLimit#restore} tells).
 * <p>C3. A call that has come back is not ended: both are decided under one lock.
 */
final class CallLimits implements CallWatchdog.Watched {
    /** Why a call was ended. */
    enum Reason {
        CALL_TOO_LONG,
        FUNCTION_TOO_LONG,
        HEAP_FULL,
        FUNCTION_FILLED_HEAP
    }

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final long callMsMax;
    private final long functionMsMax;
    private final Runnable end;
    private ByteBuffer result;
    private long threadId;
    private boolean isUnderWay;
    /** Processor time of the thread when the call began. */
    private long beganCpuNanos;
    /** What the guest's count of project calls was when the call at hand was looked at before, and the processor time then. */
    private int callSeen;
    private long callSeenCpuNanos;
    private Reason reason;

    /**
     * @param callMsMax of the processor
     * @param functionMsMax of the processor
     * @param end has V8 end the call at hand
     */
    CallLimits(long callMsMax, long functionMsMax, Runnable end) {
        this.callMsMax = callMsMax;
        this.functionMsMax = functionMsMax;
        this.end = end;
    }

    /** From now on the guest counts its project calls here. */
    void watchProjectCalls(ByteBuffer resultBuffer) {
        result = resultBuffer;
    }

    /** A call begins, on this thread. */
    synchronized void begin() {
        threadId = Thread.currentThread().getId();
        callSeen = 0;
        reason = null;
        beganCpuNanos = THREADS.getCurrentThreadCpuTime();
        isUnderWay = true;
    }

    /** The call has come back, or was ended. Returns why it was to be ended, {@code null} where it was not. */
    synchronized Reason end() {
        isUnderWay = false;
        return reason;
    }

    /** The heap of V8 has come to its limit; called within a call, on its thread. */
    synchronized void heapIsFull() {
        endBecause((projectCall() & 1) == 0 ? Reason.HEAP_FULL : Reason.FUNCTION_FILLED_HEAP);
    }

    @Override
    public synchronized void look() {
        if (!isUnderWay || reason != null) {
            return;
        }
        long cpuNanos = THREADS.getThreadCpuTime(threadId);
        if (cpuNanos - beganCpuNanos > callMsMax * 1_000_000) {
            endBecause(Reason.CALL_TOO_LONG);
            return;
        }
        int call = projectCall();
        if ((call & 1) == 0) {
            return;
        }
        if (call != callSeen) {
            callSeen = call;
            callSeenCpuNanos = cpuNanos;
        } else if (cpuNanos - callSeenCpuNanos > functionMsMax * 1_000_000) {
            endBecause(Reason.FUNCTION_TOO_LONG);
        }
    }

    /** The guest's count of project calls: odd while one is under way. */
    private int projectCall() {
        return result == null ? 0 : result.getInt(Bridge.PROJECT_CALLS_OFFSET);
    }

    private void endBecause(Reason why) {
        reason = why;
        end.run();
    }
}
