package org.millwright.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The job: topics of Kafka, a guest, topics of Kafka.
 *
 * <p>The script, its source map and the description of the job stand in the jar as {@code guest.js}, {@code guest.js.map} and
 * {@code job.json}. Arguments: {@code --kafka HOST:PORT,…} (required), {@code --kafka-properties FILE} (security; see
 * {@link KafkaSettings}), {@code --group ID}, {@code --transactional-id PREFIX},
 * {@code --transaction-timeout-ms N}, {@code --guest FOLDER} (instead of the jar's own script). A bounded run has {@code --until latest} or
 * {@code --until OFFSETS}, perhaps {@code --from OFFSETS} ({@link TopicOffsets}; a partition that is not named begins at its beginning, ends where
 * it ends now), and {@code --output-prefix TEXT}, which stands before the names of the topics that it writes. Arguments whose names begin with
 * {@code millwright.} are not looked at: Flink shows them with the job, so that whoever deploys next knows what runs.
 */
public final class HostJob {
    private HostJob() {}

    /** Submits the job. */
    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = parse(arguments);
        String folder = given.get("guest");
        JsonNode description = new ObjectMapper().readTree(resource(folder, "job.json"));
        String until = given.get("until");
        JobOptions options = options(description, until != null);
        GuestScript script = new GuestScript(resource(folder, "guest.js"), resource(folder, "guest.js.map"));
        Properties kafka = KafkaSettings.of(given);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.getConfig().setGlobalJobParameters(new ShownParameters(given));

        DataStream<InputRecord> records = environment
                .fromSource(records(kafka, given, options.inputs()), new LogTime(options.idleAfterMs(), options.mergeInputs() ? options.aheadMsMax() : 0), "records")
                .uid("records");
        DataStream<byte[]> control = environment
                .fromSource(control(kafka, given, options.control()), WatermarkStrategy.noWatermarks(), "control")
                .uid("control")
                .setParallelism(1);
        ControlLog controlLog = new KafkaControlLog(kafka, options.control());
        JobGraph.connect(environment, records, control, options, script, controlLog)
                .sinkTo(sink(kafka, given, options))
                .name("outputs")
                .uid("outputs");
        environment.execute(options.name());
    }

    private static KafkaSource<InputRecord> records(Properties kafka, Map<String, String> given, List<String> topics) {
        KafkaSourceBuilder<InputRecord> source = source(KafkaSettings.ofReading(kafka), given, topics, new InputRecords(topics));
        if (given.containsKey("from")) {
            source.setStartingOffsets(TopicOffsets.from(given.get("from")));
        }
        String until = given.get("until");
        if (until != null) {
            source.setBounded("latest".equals(until) ? OffsetsInitializer.latest() : TopicOffsets.until(until));
        }
        return source.build();
    }

    /** Read whole also by a bounded run: which of the control records are in force is for the guest to say. */
    private static KafkaSource<byte[]> control(Properties kafka, Map<String, String> given, String topic) {
        KafkaSourceBuilder<byte[]> source = source(kafka, given, List.of(topic), new ControlRecords());
        if (given.containsKey("until")) {
            source.setBounded(OffsetsInitializer.latest());
        }
        return source.build();
    }

    private static <T> KafkaSourceBuilder<T> source(
            Properties kafka, Map<String, String> given, List<String> topics, KafkaRecordDeserializationSchema<T> records) {
        return KafkaSource.<T>builder()
                .setProperties(kafka)
                .setTopics(topics)
                .setGroupId(given.getOrDefault("group", "millwright"))
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setProperty("isolation.level", "read_committed")
                .setDeserializer(records);
    }

    private static OutputSink sink(Properties kafka, Map<String, String> given, JobOptions options) {
        return new OutputSink(KafkaSink.<byte[]>builder()
                .setKafkaProducerConfig(KafkaSettings.ofWriting(kafka))
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix(given.getOrDefault("transactional-id", "millwright-" + options.name()))
                // Ids are used again, and what an earlier run left open is listed. Counting ids up would mean to ask Kafka for each that was
                // ever used before a job may start: longer with every start.
                .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING)
                .setProperty("transaction.timeout.ms", given.getOrDefault("transaction-timeout-ms", "600000"))
                .setRecordSerializer(new OutputRecords(
                        options.outputs().stream().map(topic -> given.getOrDefault("output-prefix", "") + topic).toList()))
                .build());
    }

    /** Reads the description of a job. What is not said there has these values. */
    static JobOptions options(JsonNode description, boolean bounded) {
        return new JobOptions(
                description.path("name").asText("millwright"),
                texts(description.path("inputs")),
                description.path("control").asText(null),
                texts(description.path("outputs")),
                description.path("keyField").asText(),
                description.path("maxParallelism").asInt(128),
                description.path("bundleRecords").asInt(4000),
                description.path("bundleBytes").asInt(64 * 1024),
                description.path("recordBytesMax").asInt(2 * 1024 * 1024),
                description.path("flushIntervalMs").asLong(50),
                description.path("cacheKeysMax").asInt(100_000),
                description.path("dirtyKeysMax").asInt(100_000),
                description.path("keysMax").asLong(0),
                description.path("heapMaxMb").asInt(512),
                description.path("callMsMax").asLong(60_000),
                description.path("functionMsMax").asLong(10_000),
                description.path("idleAfterMs").asLong(0),
                description.path("mergeInputs").asBoolean(false),
                description.path("aheadMsMax").asLong(60_000),
                description.path("controlLagMs").asLong(0),
                bounded);
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static Map<String, String> parse(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            if (!arguments[i].startsWith("--") || i + 1 == arguments.length) {
                throw new IllegalArgumentException("Arguments must be pairs of --name and value: found \"" + arguments[i] + "\"");
            }
            given.put(arguments[i].substring(2), arguments[i + 1]);
        }
        return given;
    }

    private static String resource(String folder, String name) throws IOException {
        if (folder != null) {
            return Files.readString(Path.of(folder, name));
        }
        try (InputStream in = HostJob.class.getResourceAsStream("/" + name)) {
            if (in == null) {
                throw new IOException("The jar must hold " + name + ": it is packed in when a project is deployed");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
