package org.millwright.host;

import java.nio.ByteBuffer;

/** Takes the frames of a guest's answer, in their order. */
@FunctionalInterface
interface FrameHandler {
    /**
     * Takes one whole frame.
     *
     * @param payload little-endian, from its position to its limit; holds during the call
     */
    void frame(int kind, ByteBuffer payload) throws Exception;
}
