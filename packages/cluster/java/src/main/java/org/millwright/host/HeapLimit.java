package org.millwright.host;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.interop.V8Runtime;
import com.caoccao.javet.interop.callback.IJavetNearHeapLimitCallback;

/**
 * The limit of one V8's heap. What comes to it is let a little beyond, so that the call at hand can be ended and the process lives.
 *
 * <p>H1. Whenever the heap comes to its limit, {@code isFull} is told, on the thread of the call at hand, and the limit is raised.
 * <p>H2. {@link #restore} takes back what was raised, as far as what is in use allows: a heap that was full time and again is no larger
 * than one that was full once.
 */
final class HeapLimit implements IJavetNearHeapLimitCallback {
    /**
     * What V8 may have beyond its limit to come back from a call that is ended: more than the largest piece that it ever asks for at once, an
     * array of 2^27 elements of 8 bytes. Where it does not get such a piece it ends the process; with 64 MB here, an object that was filled
     * in a loop did that when its table grew to the double.
     */
    private static final long SPARE_BYTES = 1536L * 1024 * 1024;

    private final V8Runtime runtime;
    private final Runnable isFull;
    /** 0 before the heap was full. */
    private volatile long limitBytes;

    private HeapLimit(V8Runtime runtime, Runnable isFull) {
        this.runtime = runtime;
        this.isFull = isFull;
    }

    /** Watches the heap of a runtime, until that is closed. */
    static HeapLimit watch(V8Runtime runtime, Runnable isFull) {
        HeapLimit limit = new HeapLimit(runtime, isFull);
        runtime.setNearHeapLimitCallback(limit);
        return limit;
    }

    @Override
    public long callback(long currentBytes, long initialBytes) {
        limitBytes = initialBytes;
        isFull.run();
        return currentBytes + SPARE_BYTES;
    }

    /** What V8 goes back to when the callback is taken away. */
    @Override
    public long getDefaultHeapLimit() {
        return limitBytes;
    }

    /** The limit as V8 told it when the heap was full, bytes; 0 where it never was. */
    long limitBytes() {
        return limitBytes;
    }

    /**
     * Collects what nobody holds any more, and goes back to the limit. Returns whether at least half of it is free: then what filled the heap was
     * held by the call that was ended, and by nothing else.
     */
    boolean restore() throws JavetException {
        runtime.lowMemoryNotification();
        runtime.setNearHeapLimitCallback(null);
        runtime.setNearHeapLimitCallback(this);
        return usedBytes(runtime) <= limitBytes / 2;
    }

    /** Bytes of a runtime's heap in use. */
    static long usedBytes(V8Runtime runtime) {
        return runtime.getV8HeapStatistics().join().getUsedHeapSize();
    }

    /** Bytes that a runtime's array buffers hold: outside its heap, and of no limit. Those of WebAssembly's memories are not among them. */
    static long externalBytes(V8Runtime runtime) {
        return runtime.getV8HeapStatistics().join().getExternalMemory();
    }
}
