package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.util.MiniClusterWithClientResource;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole job between its sources and its sinks, on a cluster in this process. */
class JobGraphTest {
    private static final int KEYS = 50;
    private static final int RECORDS = 4000;

    private static final MiniClusterWithClientResource CLUSTER = new MiniClusterWithClientResource(
            new MiniClusterResourceConfiguration.Builder().setNumberTaskManagers(2).setNumberSlotsPerTaskManager(3).build());

    @BeforeAll
    static void start() throws Exception {
        CLUSTER.before();
    }

    @AfterAll
    static void stop() {
        CLUSTER.after();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 6})
    void countsEveryRecordOfEveryKeyOnceInItsOrder(int parallelism) throws Exception {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setRuntimeMode(RuntimeExecutionMode.STREAMING);
        environment.setParallelism(parallelism);
        environment.enableCheckpointing(100);
        DataStream<InputRecord> records = environment
                .fromSource(numbers(RECORDS), WatermarkStrategy.noWatermarks(), "records")
                .setParallelism(1);
        DataStream<byte[]> control = environment
                .fromSource(numbers(1), WatermarkStrategy.noWatermarks(), "control")
                .setParallelism(1)
                .filter(record -> false)
                .setParallelism(1)
                .map(InputRecord::value)
                .returns(PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO)
                .setParallelism(1);
        Map<String, List<String>> byKey = new TreeMap<>();
        DataStream<byte[]> outputs = JobGraph.connect(environment, records, control, TestJobs.options(5), TestJobs.script(), ControlLog.none());
        try (CloseableIterator<byte[]> output = outputs.executeAndCollect()) {
            while (output.hasNext()) {
                String[] text = TestJobs.text(output.next()).split(": ");
                byKey.computeIfAbsent(text[0], key -> new ArrayList<>()).add(text[1]);
            }
        }
        assertEquals(KEYS, byKey.size());
        for (int key = 0; key < KEYS; key++) {
            List<String> wanted = new ArrayList<>();
            for (int i = key; i < RECORDS; i += KEYS) {
                wanted.add((wanted.size() + 1) + "@" + i);
            }
            wanted.add("end " + RECORDS / KEYS + "@NaN");
            assertEquals(wanted, byKey.get("key-" + key));
        }
    }

    private static DataGeneratorSource<InputRecord> numbers(long count) {
        return new DataGeneratorSource<>(
                i -> TestJobs.record("{\"k\":\"key-" + i % KEYS + "\"}", i, i), count, InputRecordType.INSTANCE);
    }
}
