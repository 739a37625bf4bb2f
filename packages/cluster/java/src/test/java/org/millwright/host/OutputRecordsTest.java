package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class OutputRecordsTest {
    private final OutputRecords records = new OutputRecords(List.of("first", "second"));

    @Test
    void putsTheTimeOfTheCauseIntoAHeader() {
        ProducerRecord<byte[], byte[]> record = records.serialize(frame(1, 1766000000000.0, "ö-7", "{}"), null, null);
        assertEquals("second", record.topic());
        assertArrayEquals(utf8("ö-7"), record.key());
        assertArrayEquals(utf8("{}"), record.value());
        assertNull(record.timestamp());
        byte[] time = record.headers().lastHeader("cause-time").value();
        assertEquals(1766000000000L, ByteBuffer.wrap(time).getLong());
        assertEquals(Long.BYTES, time.length);
    }

    @Test
    void hasNeitherKeyNorHeaderWhereThereIsNone() {
        ProducerRecord<byte[], byte[]> record = records.serialize(frame(0, Double.NaN, "", "{}"), null, null);
        assertNull(record.key());
        assertEquals(0, record.headers().toArray().length);
    }

    private static byte[] frame(int topic, double causeTimeMs, String key, String value) {
        byte[] keyBytes = utf8(key);
        byte[] valueBytes = utf8(value);
        ByteBuffer frame = ByteBuffer.allocate(11 + keyBytes.length + valueBytes.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.put((byte) topic).putDouble(causeTimeMs).putShort((short) keyBytes.length).put(keyBytes).put(valueBytes);
        return frame.array();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
