package org.millwright.host;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;

/**
 * Places in topics where a bounded run begins or ends. As text: {@code TOPIC:PARTITION=OFFSET,…}. A partition that is not named begins at
 * its beginning, or ends where it ends when the run begins. A place that is gone ends the run: it would otherwise give other results than
 * were asked for.
 */
final class TopicOffsets implements OffsetsInitializer {
    private static final long serialVersionUID = 1L;

    private final HashMap<TopicPartition, Long> named;
    private final boolean begins;

    private TopicOffsets(Map<TopicPartition, Long> named, boolean begins) {
        this.named = new HashMap<>(named);
        this.begins = begins;
    }

    /** Where a run begins. @throws IllegalArgumentException as {@link #parse} */
    static TopicOffsets from(String text) {
        return new TopicOffsets(parse(text), true);
    }

    /** Where a run ends: each at the last record before. @throws IllegalArgumentException as {@link #parse} */
    static TopicOffsets until(String text) {
        return new TopicOffsets(parse(text), false);
    }

    /**
     * Reads the text.
     *
     * @throws IllegalArgumentException with the part that is not of that form, or names a partition again
     */
    static Map<TopicPartition, Long> parse(String text) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        for (String part : text.split(",", -1)) {
            int colon = part.lastIndexOf(':');
            int equals = part.indexOf('=', colon + 1);
            if (colon < 1 || equals < 0) {
                throw new IllegalArgumentException("Offsets must be TOPIC:PARTITION=OFFSET,…: found \"" + part + "\"");
            }
            TopicPartition partition;
            long offset;
            try {
                partition = new TopicPartition(part.substring(0, colon), Integer.parseUnsignedInt(part, colon + 1, equals, 10));
                offset = Long.parseUnsignedLong(part, equals + 1, part.length(), 10);
            } catch (NumberFormatException notANumber) {
                throw new IllegalArgumentException("Offsets must be TOPIC:PARTITION=OFFSET,…: found \"" + part + "\"", notANumber);
            }
            if (offsets.put(partition, offset) != null) {
                throw new IllegalArgumentException("Offsets must name each partition once: found \"" + part + "\" again");
            }
        }
        return offsets;
    }

    @Override
    public Map<TopicPartition, Long> getPartitionOffsets(Collection<TopicPartition> partitions, PartitionOffsetsRetriever kafka) {
        List<TopicPartition> others = partitions.stream().filter(partition -> !named.containsKey(partition)).toList();
        Map<TopicPartition, Long> offsets = new HashMap<>(begins ? kafka.beginningOffsets(others) : kafka.endOffsets(others));
        partitions.stream().filter(named::containsKey).forEach(partition -> offsets.put(partition, named.get(partition)));
        return offsets;
    }

    @Override
    public OffsetResetStrategy getAutoOffsetResetStrategy() {
        return OffsetResetStrategy.NONE;
    }
}
