package org.millwright.host;

import java.io.Serializable;
import java.util.List;

/**
 * What a job is told: by the guest's description, and by whoever submits it.
 *
 * @param name of the job
 * @param inputs topics of records, in the order of the places' indices
 * @param control topic of control records, {@code null} for none
 * @param outputs topics that are written, in the order of the output frames' indices
 * @param keyField name of the field that holds a record's key
 * @param maxParallelism key groups
 * @param bundleRecords records after which a bundle is processed
 * @param bundleBytes bytes of lines after which a bundle leaves its source
 * @param recordBytesMax bytes after which a value is cut
 * @param flushIntervalMs longest wait of a record for others, milliseconds
 * @param cacheKeysMax keys that a guest holds
 * @param dirtyKeysMax changed keys that a guest may hold between two calls
 * @param keysMax keys that may have a state, shared among the key groups ({@link KeyRoom}); 0: as many as there are
 * @param heapMaxMb heap of V8 in one subtask, MB
 * @param callMsMax longest call of the guest, milliseconds of processor time
 * @param functionMsMax longest call of one of the project's own functions, milliseconds of processor time
 * @param idleAfterMs after which a partition does not hold time back, processing time, milliseconds; 0: never ({@link LogTime})
 * @param mergeInputs whether records of several inputs are put into the order of their append times; each waits until every partition
 *     has come so far, so that a quiet one stops all
 * @param aheadMsMax how far a partition may be read ahead of the slowest where inputs are merged, append time, milliseconds; 0: as far as
 *     it comes
 * @param controlLagMs a record waits for the control records that were appended so long before it, milliseconds of append time, at least 0:
 *     0 asks the control topic for its end before each bundle
 * @param endsWithInput whether the end of the input ends all keys: a bounded run
 */
record JobOptions(
        String name,
        List<String> inputs,
        String control,
        List<String> outputs,
        String keyField,
        int maxParallelism,
        int bundleRecords,
        int bundleBytes,
        int recordBytesMax,
        long flushIntervalMs,
        int cacheKeysMax,
        int dirtyKeysMax,
        long keysMax,
        int heapMaxMb,
        long callMsMax,
        long functionMsMax,
        long idleAfterMs,
        boolean mergeInputs,
        long aheadMsMax,
        long controlLagMs,
        boolean endsWithInput)
        implements Serializable {

    JobOptions {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        require(!inputs.isEmpty(), "inputs", "at least one topic");
        require(outputs.size() <= 256, "outputs", "at most 256 topics");
        require(bundleRecords >= 1 && bundleRecords <= Bridge.BUNDLE_RECORDS_MAX, "bundleRecords", "1 to " + Bridge.BUNDLE_RECORDS_MAX);
        require(recordBytesMax > 0 && recordBytesMax + bundleBytes + 4096 <= Bridge.BUFFER_BYTES - Bridge.LINES_OFFSET, "recordBytesMax", "room in the input buffer beside a bundle");
        require(cacheKeysMax >= 1, "cacheKeysMax", "at least 1");
        require(keysMax >= 0, "keysMax", "at least 0");
        require(functionMsMax >= 1 && functionMsMax < callMsMax, "functionMsMax", "at least 1 ms, and less than callMsMax");
        require(controlLagMs >= 0, "controlLagMs", "at least 0 ms");
        require(flushIntervalMs >= 1, "flushIntervalMs", "at least 1 ms");
    }

    private static void require(boolean holds, String option, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException("The option \"" + option + "\" must be: " + wanted);
        }
    }
}
