package org.millwright.host;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Takes frames out of a result buffer, and joins those that came in parts over several answers. */
final class FrameReader {
    private final ByteBuffer result;
    private final FrameHandler handler;
    private ByteArrayOutputStream parts;

    FrameReader(ByteBuffer result, FrameHandler handler) {
        this.result = result.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.handler = handler;
    }

    /** Hands on the frames in the first {@code byteLength} bytes; returns whether the guest has more. */
    boolean read(int byteLength) throws Exception {
        boolean more = false;
        int at = 0;
        while (at < byteLength) {
            int head = result.getInt(at);
            int length = result.getInt(at + 4);
            at += Bridge.FRAME_HEAD_BYTES;
            if (length < 0 || at + length > byteLength) {
                throw new IllegalStateException("A frame must end within the answer: " + length + " bytes at " + at + " of " + byteLength);
            }
            if (head == Bridge.FRAME_MORE) {
                more = true;
            } else {
                take(head, at, length);
            }
            at += length;
        }
        return more;
    }

    private void take(int head, int at, int length) throws Exception {
        boolean continued = (head & Bridge.FRAME_CONTINUED) != 0;
        if (!continued && parts == null) {
            ByteBuffer payload = result.slice(at, length).order(ByteOrder.LITTLE_ENDIAN);
            handler.frame(head, payload);
            return;
        }
        if (parts == null) {
            parts = new ByteArrayOutputStream();
        }
        byte[] part = new byte[length];
        result.get(at, part);
        parts.writeBytes(part);
        if (!continued) {
            ByteBuffer whole = ByteBuffer.wrap(parts.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
            parts = null;
            handler.frame(head, whole);
        }
    }
}
