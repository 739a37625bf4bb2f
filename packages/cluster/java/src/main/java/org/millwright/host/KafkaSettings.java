package org.millwright.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.provider.FileConfigProvider;

/**
 * How the job's clients reach Kafka.
 *
 * <p>S1. What a file of settings holds is not in the job: each setting stands there as a reference to the file, which Kafka's client takes in
 * wherever one is made. So no password is in the graph of the job, which Flink keeps and shows, and one that was changed is taken at the
 * next restart.
 */
final class KafkaSettings {
    private static final String PROVIDER = "file";

    private KafkaSettings() {}

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
