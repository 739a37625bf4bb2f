package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer.PartitionOffsetsRetriever;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicOffsetsTest {
    @Test
    void readsOffsetsOfPartitions() {
        assertEquals(
                Map.of(new TopicPartition("sensor-data", 0), 12L, new TopicPartition("a.b_c", 17), 9_000_000_000L),
                TopicOffsets.parse("sensor-data:0=12,a.b_c:17=9000000000"));
    }

    @Test
    void leavesPartitionsThatAreNotNamedAtTheirBeginningOrEnd() {
        TopicPartition named = new TopicPartition("a", 0);
        TopicPartition other = new TopicPartition("a", 1);
        PartitionOffsetsRetriever kafka = new PartitionOffsetsRetriever() {
            @Override
            public Map<TopicPartition, Long> committedOffsets(Collection<TopicPartition> partitions) {
                throw new IllegalStateException("Nobody's committed offsets say where a run begins");
            }

            @Override
            public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
                return Map.of(other, 99L);
            }

            @Override
            public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions) {
                return Map.of(other, 3L);
            }

            @Override
            public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times) {
                throw new IllegalStateException("Times are looked up where the run is asked for");
            }
        };
        assertEquals(Map.of(named, 7L, other, 3L), TopicOffsets.from("a:0=7").getPartitionOffsets(List.of(named, other), kafka));
        assertEquals(Map.of(named, 7L, other, 99L), TopicOffsets.until("a:0=7").getPartitionOffsets(List.of(named, other), kafka));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a:0", "a=1", ":0=1", "a:x=1", "a:0=", "a:0=-1", "a:0=1,", "a:0=1,a:0=2"})
    void refusesWhatIsNotOfThatForm(String text) {
        assertThrows(IllegalArgumentException.class, () -> TopicOffsets.parse(text));
    }
}
