package org.millwright.host;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * A Kafka sink whose writers leave nothing behind when they are closed.
 *
 * <p>To find what an earlier run left open, the connector's exactly-once writer asks Kafka through an admin client, which it never closes
 * (connector 5.0.0, {@code ExactlyOnceKafkaWriter.adminClient}). Its thread holds the job's class loader: each deployment and each restart
 * of a task would cost a thread, its connections and some megabytes for as long as the task manager lives.
 */
final class OutputSink
        implements TwoPhaseCommittingStatefulSink<byte[], KafkaWriterState, KafkaCommittable>,
                SupportsPostCommitTopology<KafkaCommittable> {
    private static final long serialVersionUID = 1L;

    private final KafkaSink<byte[]> sink;

    OutputSink(KafkaSink<byte[]> sink) {
        this.sink = sink;
    }

    @Override
    public PrecommittingStatefulSinkWriter<byte[], KafkaWriterState, KafkaCommittable> createWriter(WriterInitContext context)
            throws IOException {
        return new Writer(sink.createWriter(context));
    }

    @Override
    public PrecommittingStatefulSinkWriter<byte[], KafkaWriterState, KafkaCommittable> restoreWriter(
            WriterInitContext context, Collection<KafkaWriterState> recovered) throws IOException {
        return new Writer(sink.restoreWriter(context, recovered));
    }

    @Override
    public SimpleVersionedSerializer<KafkaWriterState> getWriterStateSerializer() {
        return sink.getWriterStateSerializer();
    }

    @Override
    public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) {
        return sink.createCommitter(context);
    }

    @Override
    public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
        return sink.getCommittableSerializer();
    }

    @Override
    public void addPostCommitTopology(DataStream<CommittableMessage<KafkaCommittable>> committables) {
        sink.addPostCommitTopology(committables);
    }

    private static final class Writer
            implements PrecommittingStatefulSinkWriter<byte[], KafkaWriterState, KafkaCommittable> {
        private final PrecommittingStatefulSinkWriter<byte[], KafkaWriterState, KafkaCommittable> writer;
        private final Field admin;

        /** @throws IllegalStateException with a connector that keeps its admin client elsewhere: whether it closes it has to be looked at */
        Writer(PrecommittingStatefulSinkWriter<byte[], KafkaWriterState, KafkaCommittable> writer) {
            this.writer = writer;
            try {
                admin = writer.getClass().getDeclaredField("adminClient");
                admin.setAccessible(true);
            } catch (NoSuchFieldException error) {
                throw new IllegalStateException("No admin client was found in " + writer.getClass().getName() + " of the Kafka connector", error);
            }
        }

        @Override
        public void write(byte[] frame, Context context) throws IOException, InterruptedException {
            writer.write(frame, context);
        }

        @Override
        public void flush(boolean endOfInput) throws IOException, InterruptedException {
            writer.flush(endOfInput);
        }

        @Override
        public void writeWatermark(Watermark watermark) throws IOException, InterruptedException {
            writer.writeWatermark(watermark);
        }

        @Override
        public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
            return writer.prepareCommit();
        }

        @Override
        public List<KafkaWriterState> snapshotState(long checkpointId) throws IOException {
            return writer.snapshotState(checkpointId);
        }

        @Override
        public void close() throws Exception {
            try {
                writer.close();
            } finally {
                AutoCloseable client = (AutoCloseable) admin.get(writer);
                if (client != null) {
                    client.close();
                }
            }
        }
    }
}
