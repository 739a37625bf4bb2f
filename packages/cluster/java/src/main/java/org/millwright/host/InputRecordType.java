package org.millwright.host;

import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Tells Flink of {@link InputRecord}. As bytes it is only where operators are not chained. */
final class InputRecordType extends TypeInformation<InputRecord> {
    private static final long serialVersionUID = 1L;
    static final InputRecordType INSTANCE = new InputRecordType();

    private InputRecordType() {}

    @Override
    public boolean isBasicType() {
        return false;
    }

    @Override
    public boolean isTupleType() {
        return false;
    }

    @Override
    public int getArity() {
        return 1;
    }

    @Override
    public int getTotalFields() {
        return 1;
    }

    @Override
    public Class<InputRecord> getTypeClass() {
        return InputRecord.class;
    }

    @Override
    public boolean isKeyType() {
        return false;
    }

    @Override
    public TypeSerializer<InputRecord> createSerializer(SerializerConfig config) {
        return Serializer.INSTANCE;
    }

    @Override
    public String toString() {
        return "InputRecord";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof InputRecordType;
    }

    @Override
    public int hashCode() {
        return InputRecordType.class.hashCode();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof InputRecordType;
    }

    /** Writes append time, offset, place, and key and value after their lengths. */
    private static final class Serializer extends TypeSerializerSingleton<InputRecord> {
        private static final long serialVersionUID = 1L;
        private static final Serializer INSTANCE = new Serializer();

        @Override
        public boolean isImmutableType() {
            return false;
        }

        @Override
        public InputRecord createInstance() {
            return new InputRecord();
        }

        @Override
        public InputRecord copy(InputRecord from) {
            return copy(from, new InputRecord());
        }

        /** Nothing changes the bytes of a key or a value. */
        @Override
        public InputRecord copy(InputRecord from, InputRecord into) {
            into.set(from.appendTimeMs(), from.offset(), from.place(), from.key(), from.value());
            return into;
        }

        @Override
        public int getLength() {
            return -1;
        }

        @Override
        public void serialize(InputRecord record, DataOutputView target) throws IOException {
            target.writeDouble(record.appendTimeMs());
            target.writeLong(record.offset());
            target.writeInt(record.place());
            for (byte[] bytes : new byte[][] {record.key(), record.value()}) {
                target.writeInt(bytes.length);
                target.write(bytes);
            }
        }

        @Override
        public InputRecord deserialize(DataInputView source) throws IOException {
            return deserialize(new InputRecord(), source);
        }

        @Override
        public InputRecord deserialize(InputRecord into, DataInputView source) throws IOException {
            into.set(source.readDouble(), source.readLong(), source.readInt(), bytes(source), bytes(source));
            return into;
        }

        private static byte[] bytes(DataInputView source) throws IOException {
            byte[] bytes = new byte[source.readInt()];
            source.readFully(bytes);
            return bytes;
        }

        @Override
        public void copy(DataInputView source, DataOutputView target) throws IOException {
            serialize(deserialize(source), target);
        }

        @Override
        public TypeSerializerSnapshot<InputRecord> snapshotConfiguration() {
            return new Snapshot();
        }
    }

    /** The serializer has no settings. Public, since Flink makes it by its name. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<InputRecord> {
        public Snapshot() {
            super(() -> Serializer.INSTANCE);
        }
    }
}
