package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaSettingsTest {
    private static final String LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\" password=\"s3cret\";";

    @TempDir
    Path folder;

    @Test
    void holdsNoSecretOfTheFileAndGivesItToTheClient() throws Exception {
        Path file = Files.writeString(folder.resolve("kafka.properties"), "security.protocol=SASL_SSL\nsasl.jaas.config=" + LOGIN + "\n");
        Properties settings = KafkaSettings.of(Map.of("kafka", "b:1", "kafka-properties", file.toString()));
        assertFalse(settings.toString().contains("s3cret"), settings.toString());
        settings.put("key.serializer", ByteArraySerializer.class.getName());
        settings.put("value.serializer", ByteArraySerializer.class.getName());
        ProducerConfig seen = new ProducerConfig(settings);
        assertEquals(new Password(LOGIN), seen.getPassword(SaslConfigs.SASL_JAAS_CONFIG));
        assertEquals("SASL_SSL", seen.getString("security.protocol"));
    }

    @Test
    void leavesAFileAloneThatRefersToItsSecretsItself() throws Exception {
        Path file = Files.writeString(folder.resolve("kafka.properties"), "config.providers=env\nsasl.jaas.config=${env:LOGIN}\n");
        Properties settings = KafkaSettings.of(Map.of("kafka", "b:1", "kafka-properties", file.toString()));
        assertEquals("${env:LOGIN}", settings.getProperty("sasl.jaas.config"));
    }

    @Test
    void leavesWhatTheFileSaysOfSpeed() throws Exception {
        Path file = Files.writeString(folder.resolve("kafka.properties"), "max.poll.records=77\nlinger.ms=7\n");
        Properties settings = KafkaSettings.of(Map.of("kafka", "b:1", "kafka-properties", file.toString()));
        for (Properties all : List.of(KafkaSettings.ofReading(settings), KafkaSettings.ofWriting(settings))) {
            assertTrue(all.getProperty("max.poll.records").contains("kafka.properties"), all.toString());
            assertTrue(all.getProperty("linger.ms").contains("kafka.properties"), all.toString());
        }
        assertEquals("4096", KafkaSettings.ofReading(new Properties()).getProperty("max.poll.records"));
        assertEquals("100", KafkaSettings.ofWriting(new Properties()).getProperty("linger.ms"));
    }

    @Test
    void refusesWhatCannotBeReferredToAndAJobWithoutBrokers() throws Exception {
        Path file = Files.writeString(folder.resolve("a:b"), "x=1\n");
        assertThrows(IllegalArgumentException.class, () -> KafkaSettings.of(Map.of("kafka", "b:1", "kafka-properties", file.toString())));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> KafkaSettings.of(Map.of())).getMessage().contains("--kafka"));
    }
}
