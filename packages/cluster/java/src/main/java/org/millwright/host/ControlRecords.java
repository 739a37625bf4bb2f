package org.millwright.host;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Makes a control record into bytes: append time (float64, milliseconds; NaN where there is none), offset (float64), partition
 * (uint32), length of the key (uint16), key, value. An absent value is empty.
 */
final class ControlRecords implements KafkaRecordDeserializationSchema<byte[]> {
    static final int APPEND_TIME = 0;
    static final int OFFSET = 8;
    static final int PARTITION = 16;
    static final int KEY_LENGTH = 20;
    static final int KEY = 22;
    /** Longer keys are cut: none that matters has more. */
    private static final int KEY_BYTES_MAX = 65_535;
    private static final byte[] NOTHING = {};
    private static final VarHandle DOUBLE = MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long serialVersionUID = 1L;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<byte[]> out) {
        out.collect(encode(record.timestamp(), record.offset(), record.partition(), record.key(), record.value()));
    }

    /** Puts a record together. {@code key} and {@code value} may be {@code null}. */
    static byte[] encode(double appendTimeMs, long offset, int partition, byte[] key, byte[] value) {
        byte[] keyBytes = key == null ? NOTHING : key;
        byte[] valueBytes = value == null ? NOTHING : value;
        int keyLength = Math.min(keyBytes.length, KEY_BYTES_MAX);
        byte[] bytes = new byte[KEY + keyLength + valueBytes.length];
        DOUBLE.set(bytes, APPEND_TIME, appendTimeMs);
        DOUBLE.set(bytes, OFFSET, (double) offset);
        INT.set(bytes, PARTITION, partition);
        SHORT.set(bytes, KEY_LENGTH, (short) keyLength);
        System.arraycopy(keyBytes, 0, bytes, KEY, keyLength);
        System.arraycopy(valueBytes, 0, bytes, KEY + keyLength, valueBytes.length);
        return bytes;
    }

    @Override
    public TypeInformation<byte[]> getProducedType() {
        return PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    }
}
