package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TargetBundleTest {
    /** Bytes whose differences from a newline borrow from one another, where a test of eight at a time could err. */
    private static final String NEIGHBOURS = "\t\u000b\u0000\r\u007f\t\t\u000b";

    @Test
    void makesEachNewlineOfAValueACarriageReturnWhereverItStands() {
        for (int length = 1; length <= 40; length++) {
            for (int at = 0; at < length; at++) {
                StringBuilder value = new StringBuilder(NEIGHBOURS.repeat(5).substring(0, length));
                value.setCharAt(at, '\n');
                assertEquals(value.toString().replace('\n', '\r') + "\n", lineOf(value.toString()), "at " + at + " of " + length);
            }
        }
    }

    @Test
    void leavesAValueWithoutNewlinesAsItIs() {
        for (int length = 0; length <= 40; length++) {
            String value = NEIGHBOURS.repeat(5).substring(0, length);
            assertEquals(value + "\n", lineOf(value));
        }
    }

    @Test
    void growsForALineThatIsLongerThanWasExpected() {
        String value = "ü".repeat(5000);
        assertEquals(value + "\n", lineOf(value));
    }

    private static String lineOf(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        TargetBundle bundle = new TargetBundle(2, 16);
        bundle.add(3, 1.0, 2.0, 0, bytes, 0, bytes.length);
        byte[] taken = bundle.take();
        int lineBytes = ByteBuffer.wrap(taken).order(ByteOrder.LITTLE_ENDIAN).getInt(8);
        return new String(taken, taken.length - lineBytes, lineBytes, StandardCharsets.UTF_8);
    }
}
