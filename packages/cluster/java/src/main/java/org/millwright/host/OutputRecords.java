package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Makes an output frame of the guest into a record: index of its topic (uint8), append time of what caused it (float64), length of the key
 * (uint16), key, value. The time goes into a header, where there is one: whoever reads several topics as one sequence needs it, since the
 * topics' own append times are of the writing.
 */
final class OutputRecords implements KafkaRecordSerializationSchema<byte[]>, KafkaDatasetFacetProvider {
    private static final long serialVersionUID = 1L;

    /** Append time of what caused the record: epoch milliseconds as an int64, big-endian. */
    static final String CAUSE_TIME_HEADER = "cause-time";

    private static final int KEY_LENGTH = 9;
    private static final int KEY = 11;

    private final List<String> topics;

    /** @param topics in the order of the frames' indices */
    OutputRecords(List<String> topics) {
        this.topics = List.copyOf(topics);
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(byte[] frame, KafkaSinkContext context, Long timestamp) {
        ByteBuffer head = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
        double causeTimeMs = head.getDouble(1);
        int keyEnd = KEY + Short.toUnsignedInt(head.getShort(KEY_LENGTH));
        byte[] key = keyEnd == KEY ? null : Arrays.copyOfRange(frame, KEY, keyEnd);
        // Without a timestamp: one of long ago would let the broker delete the record at once.
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topics.get(frame[0]), null, null, key, Arrays.copyOfRange(frame, keyEnd, frame.length));
        if (!Double.isNaN(causeTimeMs)) {
            record.headers().add(CAUSE_TIME_HEADER, ByteBuffer.allocate(Long.BYTES).putLong((long) causeTimeMs).array());
        }
        return record;
    }

    /** Where the sink looks for transactions that an earlier run left open. */
    @Override
    public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
        return Optional.of(new DefaultKafkaDatasetFacet(DefaultKafkaDatasetIdentifier.ofTopics(topics)));
    }
}
