package org.millwright.host;

/**
 * The border between this host and the script that runs in V8: {@code docs/formats/bridge.md}. The same names in the same order as in
 * {@code src/bridge.ts}; the golden vectors in {@code fixtures/bridge} hold both to it. All numbers are little-endian.
 */
final class Bridge {
    /** Compared when a guest is opened; a guest of another version is refused. */
    static final int BRIDGE_VERSION = 4;

    /** Most records of one bundle: each column in the input buffer has room for as many. */
    static final int BUNDLE_RECORDS_MAX = 8192;
    /** Where a bundle stands in the input buffer: three columns, then the lines. */
    static final int APPEND_TIMES_OFFSET = 0;
    static final int OFFSETS_OFFSET = APPEND_TIMES_OFFSET + 8 * BUNDLE_RECORDS_MAX;
    static final int PLACES_OFFSET = OFFSETS_OFFSET + 8 * BUNDLE_RECORDS_MAX;
    static final int LINES_OFFSET = PLACES_OFFSET + 4 * BUNDLE_RECORDS_MAX;
    /** Length of each of the two buffers. */
    static final int BUFFER_BYTES = 8 * 1024 * 1024;
    /**
     * At the end of the result buffer: a uint32 that the guest raises before and after each call of a project's function. The host may look at
     * it at any time: odd and unchanged, that call is under way.
     */
    static final int PROJECT_CALLS_OFFSET = BUFFER_BYTES - 8;

    /** Head of a bundle between the host's two operators. */
    static final int BUNDLE_HEAD_BYTES = 16;

    /** A place holds the index of the input topic above these bits, the partition in them. */
    static final int PLACE_PARTITION_BITS = 16;

    /** Head of a frame: kind and flags, then the length of the payload. */
    static final int FRAME_HEAD_BYTES = 8;
    /** Set in a frame whose payload goes on in the next one. */
    static final int FRAME_CONTINUED = 0x100;

    /** Kinds of frame. Those below 16 go to the guest, the others come from it. */
    static final int FRAME_KEY = 1;
    static final int FRAME_STATE = 2;
    static final int FRAME_CONTROL = 3;
    static final int FRAME_REFUSED_KEY = 4;
    static final int FRAME_MORE = 16;
    static final int FRAME_FAILURE = 17;
    static final int FRAME_UNKNOWN_KEY = 18;
    static final int FRAME_OUTPUT = 19;
    static final int FRAME_STATE_WRITE = 20;
    static final int FRAME_TIMER = 21;
    static final int FRAME_COUNTERS = 22;

    /** What the keys of {@code keys} and {@code act} are for. */
    static final int PURPOSE_TIMER = 0;
    static final int PURPOSE_END = 1;

    private Bridge() {}
}
