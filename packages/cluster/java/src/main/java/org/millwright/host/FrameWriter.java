package org.millwright.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Writes frames into the input buffer and hands them to the guest: as many as fit a call, larger ones in parts.
 */
final class FrameWriter {
    /** A call of the guest that takes what stands in the input. */
    @FunctionalInterface
    interface Call {
        void take(int byteLength) throws Exception;
    }

    private final ByteBuffer input;
    private int length;

    FrameWriter(ByteBuffer input) {
        this.input = input.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Begins a list of frames. */
    void begin() {
        length = 0;
    }

    /** Adds a frame whose payload is the given parts one after another; hands over what is there where there is no more room. */
    void frame(int kind, Call call, byte[]... payload) throws Exception {
        int left = 0;
        for (byte[] part : payload) {
            left += part.length;
        }
        int part = 0;
        int from = 0;
        do {
            if (length + Bridge.FRAME_HEAD_BYTES + Math.min(1, left) > input.capacity()) {
                finish(call);
                begin();
            }
            int count = Math.min(left, input.capacity() - length - Bridge.FRAME_HEAD_BYTES);
            left -= count;
            input.putInt(length, left == 0 ? kind : kind | Bridge.FRAME_CONTINUED);
            input.putInt(length + 4, count);
            length += Bridge.FRAME_HEAD_BYTES;
            while (count > 0) {
                int taken = Math.min(count, payload[part].length - from);
                input.put(length, payload[part], from, taken);
                length += taken;
                count -= taken;
                from += taken;
                if (from == payload[part].length) {
                    part += 1;
                    from = 0;
                }
            }
        } while (left > 0);
    }

    /** Hands over what is left. */
    void finish(Call call) throws Exception {
        call.take(length);
    }
}
