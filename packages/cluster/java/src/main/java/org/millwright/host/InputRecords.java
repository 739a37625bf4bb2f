package org.millwright.host;

import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Says of a record of Kafka where it is from, and gives it on as it is ({@link InputRecord}). */
final class InputRecords implements KafkaRecordDeserializationSchema<InputRecord> {
    private static final long serialVersionUID = 1L;

    private final List<String> topics;
    private transient InputRecord given;

    /** @param topics in the order of the places' indices */
    InputRecords(List<String> topics) {
        this.topics = List.copyOf(topics);
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<InputRecord> out) {
        int input = topics.indexOf(record.topic());
        if (input < 0 || record.partition() >>> Bridge.PLACE_PARTITION_BITS != 0) {
            throw new IllegalStateException("A record must be of a topic that the job reads: " + record.topic() + "-" + record.partition());
        }
        if (given == null) {
            given = new InputRecord();
        }
        double appendTimeMs = record.timestamp() < 0 ? Double.NaN : record.timestamp();
        given.set(appendTimeMs, record.offset(), input << Bridge.PLACE_PARTITION_BITS | record.partition(), record.key(), record.value());
        out.collect(given);
    }

    @Override
    public TypeInformation<InputRecord> getProducedType() {
        return InputRecordType.INSTANCE;
    }
}
