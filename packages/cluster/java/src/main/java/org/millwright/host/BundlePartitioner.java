package org.millwright.host;

import org.apache.flink.runtime.io.network.api.writer.SubtaskStateMapper;
import org.apache.flink.runtime.plugable.SerializationDelegate;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.runtime.partitioner.ConfigurableStreamPartitioner;
import org.apache.flink.streaming.runtime.partitioner.StreamPartitioner;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Sends a bundle to the subtask that has its key group, as {@code keyBy} would send each of its records. */
final class BundlePartitioner extends StreamPartitioner<byte[]> implements ConfigurableStreamPartitioner {
    private static final long serialVersionUID = 1L;

    private int maxParallelism;

    BundlePartitioner(int maxParallelism) {
        this.maxParallelism = maxParallelism;
        // After another parallelism's restore a bundle in flight would belong to several subtasks.
        disableUnalignedCheckpoints();
    }

    @Override
    public void configure(int newMaxParallelism) {
        maxParallelism = newMaxParallelism;
    }

    @Override
    public int selectChannel(SerializationDelegate<StreamRecord<byte[]>> record) {
        byte[] bytes = record.getInstance().getValue();
        int keyGroup =
                bytes[0] & 255 | (bytes[1] & 255) << 8 | (bytes[2] & 255) << 16 | (bytes[3] & 255) << 24;
        return KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(maxParallelism, numberOfChannels, keyGroup);
    }

    @Override
    public SubtaskStateMapper getDownstreamSubtaskStateMapper() {
        return SubtaskStateMapper.UNSUPPORTED;
    }

    @Override
    public StreamPartitioner<byte[]> copy() {
        return this;
    }

    @Override
    public boolean isPointwise() {
        return false;
    }

    @Override
    public String toString() {
        return "BUNDLE";
    }
}
