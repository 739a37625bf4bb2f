package org.millwright.host;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** The control topic as it is when a task starts. */
interface ControlLog extends Serializable {
    /**
     * Returns the records that are there now, after the offsets that were reached, in any order.
     *
     * @param reached by partition, the offset of the last record known; nothing of a partition that is not there
     * @return records as {@link InputRecords} makes them
     */
    List<byte[]> read(Map<Integer, Long> reached) throws Exception;

    /** A job without control records. */
    static ControlLog none() {
        return reached -> List.of();
    }
}
