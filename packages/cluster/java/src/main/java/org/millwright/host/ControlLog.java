package org.millwright.host;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** The control topic, as each task reads it for itself. */
interface ControlLog extends Serializable {
    /** Opens it for one task, which reads from its own thread. */
    Reader open();

    /** Reads what is there. */
    interface Reader extends AutoCloseable {
        /**
         * Returns the records that are there now, after the offsets that were reached, in any order. What was appended before the call
         * is among them.
         *
         * @param reached by partition, the offset of the last record known; nothing of a partition that is not there
         * @return records as {@link ControlRecords} makes them
         */
        List<byte[]> read(Map<Integer, Long> reached) throws Exception;

        @Override
        default void close() {}
    }

    /** A job without control records. */
    static ControlLog none() {
        return () -> reached -> List.of();
    }
}
