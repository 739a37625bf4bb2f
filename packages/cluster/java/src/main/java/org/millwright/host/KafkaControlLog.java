package org.millwright.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic of Kafka up to the end it has at that moment. */
final class KafkaControlLog implements ControlLog {
    private static final long serialVersionUID = 1L;
    private static final Duration POLL = Duration.ofMillis(500);

    private final Properties properties;
    private final String topic;

    /** @param properties of the client: brokers and security */
    KafkaControlLog(Properties properties, String topic) {
        this.properties = properties;
        this.topic = topic;
    }

    @Override
    public Reader open() {
        Properties own = new Properties();
        own.putAll(properties);
        own.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        own.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        own.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        return new TopicReader(new KafkaConsumer<>(own, new ByteArrayDeserializer(), new ByteArrayDeserializer()), topic);
    }

    private static final class TopicReader implements Reader {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final List<TopicPartition> partitions;

        TopicReader(KafkaConsumer<byte[], byte[]> consumer, String topic) {
            this.consumer = consumer;
            partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(topic, info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        @Override
        public List<byte[]> read(Map<Integer, Long> reached) {
            List<byte[]> records = new ArrayList<>();
            Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(partitions));
            for (TopicPartition partition : partitions) {
                Long known = reached.get(partition.partition());
                if (known != null && known + 1 > consumer.position(partition)) {
                    consumer.seek(partition, known + 1);
                }
            }
            // By position, not by record: the last ones may have been compacted away.
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    records.add(ControlRecords.encode(record.timestamp(), record.offset(), record.partition(), record.key(), record.value()));
                }
            }
            return records;
        }

        @Override
        public void close() {
            consumer.close();
        }
    }
}
