package org.millwright.host;

import com.caoccao.javet.interop.V8Host;
import com.caoccao.javet.interop.options.V8RuntimeOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The guest alone in this JVM, without Flink and Kafka: what V8 takes of a reading, when warm.
 *
 * <p>{@code GuestSpeed FOLDER LINES ROUNDS [FLAGS]}: the folder of script and description, a file of readings, how often to go through it, flags
 * of V8 instead of the host's own. Prints what a reading took in the last round, nanoseconds of the thread's processor time: {@code prepare},
 * {@code process}. Times move on from round to round: what came twice would be taken as redelivered.
 */
final class GuestSpeed {
    private static final int BUNDLE_RECORDS = 3600;
    private static final int LINES_MAX = 1_000_000;
    private static final double APPEND_TIME_MS = 4e12;
    /** How far the times of the lines reach, and more. */
    private static final long ROUND_MS = 36_000_000;
    private static final String TIMESTAMP = "\"timestamp\":";
    private static final int DIGITS = 13;

    private final List<byte[]> unknownKeys = new ArrayList<>();
    private final Guest guest;
    private final FrameWriter frames;
    private final List<byte[]> lines;

    private GuestSpeed(Path folder, List<byte[]> lines) throws Exception {
        GuestScript script = new GuestScript(Files.readString(folder.resolve("guest.js")), Files.readString(folder.resolve("guest.js.map")));
        JobOptions options = HostJob.options(new ObjectMapper().readTree(Files.readString(folder.resolve("job.json"))), true);
        this.lines = lines;
        guest = Guest.open(script, options, 0, (kind, payload) -> {
            if (kind == Bridge.FRAME_UNKNOWN_KEY) {
                byte[] key = new byte[payload.remaining()];
                payload.get(key);
                unknownKeys.add(key);
            }
        });
        frames = new FrameWriter(guest.input());
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 3) {
            V8RuntimeOptions.V8_FLAGS.setCustomFlags(arguments[3]);
            // From here on flags count as given.
            V8Host.getV8Instance();
        }
        GuestSpeed speed = new GuestSpeed(Path.of(arguments[0]), readLines(Path.of(arguments[1])));
        for (int left = Integer.parseInt(arguments[2]); left > 0; left--) {
            String said = speed.round();
            if (left == 1) {
                System.out.println(said);
            }
            speed.moveOn();
        }
        speed.guest.close();
    }

    private static List<byte[]> readLines(Path path) throws IOException {
        List<byte[]> lines = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(path)) {
            for (String line = reader.readLine(); line != null && lines.size() < LINES_MAX; line = reader.readLine()) {
                lines.add((line + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        return lines;
    }

    private String round() throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long prepareNanos = 0;
        long processNanos = 0;
        int count = 0;
        for (; count + BUNDLE_RECORDS <= lines.size(); count += BUNDLE_RECORDS) {
            int lineBytes = put(count);
            long began = threads.getCurrentThreadCpuTime();
            guest.prepare(BUNDLE_RECORDS, lineBytes);
            prepareNanos += threads.getCurrentThreadCpuTime() - began;
            if (!unknownKeys.isEmpty()) {
                giveNoStates();
                put(count);
            }
            began = threads.getCurrentThreadCpuTime();
            guest.process(BUNDLE_RECORDS, lineBytes);
            processNanos += threads.getCurrentThreadCpuTime() - began;
        }
        return prepareNanos / count + "\t" + processNanos / count;
    }

    private int put(int from) {
        ByteBuffer input = guest.input();
        int at = Bridge.LINES_OFFSET;
        for (int i = 0; i < BUNDLE_RECORDS; i++) {
            byte[] line = lines.get(from + i);
            input.putDouble(Bridge.APPEND_TIMES_OFFSET + 8 * i, APPEND_TIME_MS);
            input.putDouble(Bridge.OFFSETS_OFFSET + 8 * i, from + i);
            input.putInt(Bridge.PLACES_OFFSET + 4 * i, 0);
            input.put(at, line);
            at += line.length;
        }
        return at - Bridge.LINES_OFFSET;
    }

    private void giveNoStates() throws Exception {
        frames.begin();
        for (byte[] key : unknownKeys) {
            byte[] keyLength = {(byte) key.length, (byte) (key.length >>> 8)};
            frames.frame(Bridge.FRAME_STATE, guest::states, keyLength, key, new byte[0]);
        }
        frames.finish(guest::states);
        unknownKeys.clear();
    }

    /** Moves the times of all lines; those of another kind stay as they are. */
    private void moveOn() {
        for (byte[] line : lines) {
            String text = new String(line, StandardCharsets.ISO_8859_1);
            int at = text.indexOf(TIMESTAMP) + TIMESTAMP.length();
            if (at < TIMESTAMP.length() || !text.substring(at).matches("(?s)\\d{" + DIGITS + "}\\D.*")) {
                continue;
            }
            String later = Long.toString(Long.parseLong(text.substring(at, at + DIGITS)) + ROUND_MS);
            System.arraycopy(later.getBytes(StandardCharsets.US_ASCII), 0, line, at, DIGITS);
        }
    }
}
