package org.millwright.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Options, scripts and records for tests. */
final class TestJobs {
    private TestJobs() {}

    static JobOptions options(int cacheKeysMax) {
        return options(cacheKeysMax, false);
    }

    static JobOptions options(int cacheKeysMax, boolean mergeInputs) {
        return options(cacheKeysMax, mergeInputs, 0);
    }

    static JobOptions options(int cacheKeysMax, boolean mergeInputs, long keysMax) {
        return new JobOptions("test", List.of("a", "b"), "control", List.of("out"), "k", 128, 100, 4096, 65_536, 50, cacheKeysMax, 1000, keysMax, 64, 1000, 200, 0, mergeInputs, 60_000, 250, true);
    }

    static GuestScript script() {
        try (InputStream in = TestJobs.class.getResourceAsStream("/counting-guest.js")) {
            return new GuestScript(new String(in.readAllBytes(), StandardCharsets.UTF_8), "{}");
        } catch (IOException absent) {
            throw new IllegalStateException(absent);
        }
    }

    /** The line of the test's script that has a text, from 1. */
    static long lineOf(String text) {
        String source = script().source();
        return source.substring(0, source.indexOf(text)).lines().count() + (source.charAt(source.indexOf(text) - 1) == '\n' ? 1 : 0);
    }

    /** A record of the first topic. */
    static InputRecord record(String value, long appendTimeMs, long offset) {
        InputRecord record = new InputRecord();
        record.set(appendTimeMs, offset, 0, null, value.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    /** An output as {@code key: value}. */
    static String text(byte[] output) {
        int keyEnd = 11 + output[9] + 256 * output[10];
        return new String(output, 11, keyEnd - 11, StandardCharsets.UTF_8) + ": " + new String(output, keyEnd, output.length - keyEnd, StandardCharsets.UTF_8);
    }
}
