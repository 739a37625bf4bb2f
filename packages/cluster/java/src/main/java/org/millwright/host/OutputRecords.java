package org.millwright.host;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Makes an output frame of the guest into a record: index of its topic (uint8), length of the key (uint16), key, value. */
final class OutputRecords implements KafkaRecordSerializationSchema<byte[]>, KafkaDatasetFacetProvider {
    private static final long serialVersionUID = 1L;

    private final List<String> topics;

    /** @param topics in the order of the frames' indices */
    OutputRecords(List<String> topics) {
        this.topics = List.copyOf(topics);
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(byte[] frame, KafkaSinkContext context, Long timestamp) {
        int keyEnd = 3 + keyLength(frame);
        byte[] key = keyEnd == 3 ? null : Arrays.copyOfRange(frame, 3, keyEnd);
        // Without a timestamp: one of long ago would let the broker delete the record at once.
        return new ProducerRecord<>(topics.get(frame[0]), null, null, key, Arrays.copyOfRange(frame, keyEnd, frame.length));
    }

    /** Where the sink looks for transactions that an earlier run left open. */
    @Override
    public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
        return Optional.of(new DefaultKafkaDatasetFacet(DefaultKafkaDatasetIdentifier.ofTopics(topics)));
    }

    private static int keyLength(byte[] frame) {
        return Byte.toUnsignedInt(frame[1]) | Byte.toUnsignedInt(frame[2]) << 8;
    }
}
