package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.caoccao.javet.exceptions.JavetTerminatedException;
import com.caoccao.javet.interop.V8Host;
import com.caoccao.javet.interop.V8Runtime;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class HeapLimitTest {
    private static final String FILL = "(() => { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)) })()";

    /** The first guest of a process says how large heaps are. */
    @BeforeAll
    static void guestsWereMade() throws Exception {
        Guest.open(TestJobs.script(), TestJobs.options(1), 0, (kind, payload) -> {}).close();
    }

    @Test
    void takesBackWhatItRaisedHoweverOftenTheHeapWasFull() throws Exception {
        try (V8Runtime runtime = V8Host.getV8Instance().createV8Runtime()) {
            HeapLimit heap = HeapLimit.watch(runtime, runtime::terminateExecution);
            long before = limitOf(runtime);
            for (int i = 0; i < 5; i++) {
                assertThrows(JavetTerminatedException.class, () -> runtime.getExecutor(FILL).executeVoid());
                assertTrue(limitOf(runtime) > before);
                assertTrue(heap.restore());
                assertEquals(before, limitOf(runtime));
            }
            assertTrue(heap.limitBytes() > 0 && heap.limitBytes() <= before);
        }
    }

    @Test
    void knowsWhereMoreThanTheCallHoldsTheHeap() throws Exception {
        try (V8Runtime runtime = V8Host.getV8Instance().createV8Runtime()) {
            HeapLimit heap = HeapLimit.watch(runtime, runtime::terminateExecution);
            runtime.getExecutor("globalThis.kept = []; for (let i = 0; i < 5000; i++) kept.push(new Array(1000).fill(i))").executeVoid();
            assertThrows(JavetTerminatedException.class, () -> runtime.getExecutor(FILL).executeVoid());
            assertFalse(heap.restore());
        }
    }

    @Test
    void countsArrayBuffersOutsideTheHeap() throws Exception {
        int bytes = 16 * 1024 * 1024;
        try (V8Runtime runtime = V8Host.getV8Instance().createV8Runtime()) {
            long heapBefore = HeapLimit.usedBytes(runtime);
            long before = HeapLimit.externalBytes(runtime);
            runtime.getExecutor("globalThis.kept = new Float64Array(" + bytes / Double.BYTES + ")").executeVoid();
            assertEquals(before + bytes, HeapLimit.externalBytes(runtime));
            assertTrue(HeapLimit.usedBytes(runtime) < heapBefore + bytes / 2);
        }
    }

    private static long limitOf(V8Runtime runtime) {
        return runtime.getV8HeapStatistics().join().getHeapSizeLimit();
    }
}
