package org.millwright.host;

/**
 * A record of an input on its way through one task, from its source to {@link BundleOperator}: the same object for each record of a source,
 * which holds Kafka's own bytes. Whoever wants to keep something of it copies that.
 */
final class InputRecord {
    private static final byte[] NOTHING = {};

    private double appendTimeMs;
    private long offset;
    private int place;
    private byte[] key = NOTHING;
    private byte[] value = NOTHING;

    /** Takes a record's parts. {@code key} and {@code value} may be {@code null}, which is as if they were empty. */
    void set(double recordAppendTimeMs, long recordOffset, int recordPlace, byte[] recordKey, byte[] recordValue) {
        appendTimeMs = recordAppendTimeMs;
        offset = recordOffset;
        place = recordPlace;
        key = recordKey == null ? NOTHING : recordKey;
        value = recordValue == null ? NOTHING : recordValue;
    }

    /** Milliseconds; NaN where there is none. */
    double appendTimeMs() {
        return appendTimeMs;
    }

    long offset() {
        return offset;
    }

    /** Index of the input topic and partition. */
    int place() {
        return place;
    }

    byte[] key() {
        return key;
    }

    byte[] value() {
        return value;
    }
}
