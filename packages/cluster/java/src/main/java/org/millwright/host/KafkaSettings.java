package org.millwright.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.provider.FileConfigProvider;

/**
 * How the job's clients reach Kafka.
 *
 * <p>S1. What a file of settings holds is not in the job: each setting stands there as a reference to the file, which Kafka's client takes in
 * wherever one is made. So no password is in the graph of the job, which Flink keeps and shows, and one that was changed is taken at the
 * next restart.
 * <p>S2. What of it is about speed is only said where the file does not say it.
 */
final class KafkaSettings {
    private static final String PROVIDER = "file";

    /**
     * A poll gives what a fetch brought: each poll is handed from one thread to another. A fetch of a partition stays below half a region
     * of a heap of a GiB (1 MiB), beyond which the collector treats what it is held in as one of its own. The operating system sizes the
     * socket's buffer: Kafka's own 64 KiB take a fetch in many small reads.
     */
    private static final Map<String, String> READING = Map.of(
            ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "4096",
            ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, "458752",
            ConsumerConfig.RECEIVE_BUFFER_CONFIG, "-1");

    /** What is written shows with the checkpoint after it: until then it may wait for company. The checkpoint itself waits for nothing. */
    private static final Map<String, String> WRITING = Map.of(
            ProducerConfig.LINGER_MS_CONFIG, "100",
            ProducerConfig.BATCH_SIZE_CONFIG, "131072");

    private KafkaSettings() {}

    /** The settings of a client that reads many records. */
    static Properties ofReading(Properties settings) {
        return with(READING, settings);
    }

    /** The settings of a client that writes in transactions. */
    static Properties ofWriting(Properties settings) {
        return with(WRITING, settings);
    }

    private static Properties with(Map<String, String> unlessSaid, Properties settings) {
        Properties all = new Properties();
        all.putAll(unlessSaid);
        all.putAll(settings);
        return all;
    }

    /**
     * Makes the settings of the arguments {@code kafka} and {@code kafka-properties}.
     *
     * @throws IllegalArgumentException when no broker is named, or the file cannot be referred to
     */
    static Properties of(Map<String, String> given) throws IOException {
        Properties settings = new Properties();
        String file = given.get("kafka-properties");
        if (file != null) {
            settings.putAll(references(Path.of(file)));
        }
        String brokers = given.get("kafka");
        if (brokers == null) {
            throw new IllegalArgumentException("The argument --kafka must name brokers, as in 127.0.0.1:9092");
        }
        settings.setProperty(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers);
        return settings;
    }

    private static Properties references(Path file) throws IOException {
        Properties held = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            held.load(in);
        }
        if (held.containsKey(AbstractConfig.CONFIG_PROVIDERS_CONFIG)) {
            // It refers to secrets of its own accord, and a reference to a reference is not followed.
            return held;
        }
        Properties references = new Properties();
        for (String name : held.stringPropertyNames()) {
            String reference = "${" + PROVIDER + ":" + file + ":" + name + "}";
            if (file.toString().matches(".*[:}].*") || name.matches(".*[:}].*")) {
                throw new IllegalArgumentException("The argument --kafka-properties must name a file without \":\" and \"}\", of settings without them: found " + reference);
            }
            references.setProperty(name, reference);
        }
        references.setProperty(AbstractConfig.CONFIG_PROVIDERS_CONFIG, PROVIDER);
        references.setProperty(AbstractConfig.CONFIG_PROVIDERS_CONFIG + "." + PROVIDER + ".class", FileConfigProvider.class.getName());
        return references;
    }
}
