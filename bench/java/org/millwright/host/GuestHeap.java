package org.millwright.host;

import com.caoccao.javet.interop.V8Runtime;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The guest alone in this JVM, over very many small calls: what V8's heap grows to between its own collections, and what is left when it collects.
 *
 * <p>{@code GuestHeap FOLDER MINUTES}: the folder of script and description, and how many minutes of eight devices that send ten readings a second
 * go by, as fast as they are taken. Prints a line every twenty of them, and at the end one after a collection: minute, bytes in use.
 */
final class GuestHeap {
    private static final int DEVICES = 8;
    private static final int TICKS_A_MINUTE = 600;
    private static final long TICK_MS = 100;
    private static final long FIRST_MS = 1_800_000_000_000L;

    private final List<byte[]> unknownKeys = new ArrayList<>();
    private final Guest guest;
    private final FrameWriter frames;
    private long tick;

    private GuestHeap(Path folder) throws Exception {
        GuestScript script = new GuestScript(Files.readString(folder.resolve("guest.js")), Files.readString(folder.resolve("guest.js.map")));
        JobOptions options = HostJob.options(new ObjectMapper().readTree(Files.readString(folder.resolve("job.json"))), true);
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
        GuestHeap heap = new GuestHeap(Path.of(arguments[0]));
        int minutes = Integer.parseInt(arguments[1]);
        for (int minute = 1; minute <= minutes; minute++) {
            for (int i = 0; i < TICKS_A_MINUTE; i++) {
                heap.tick();
            }
            if (minute % 20 == 0) {
                System.out.println(minute + "\t" + heap.guest.usedHeapBytes());
            }
        }
        heap.runtime().lowMemoryNotification();
        System.out.println("collected\t" + heap.guest.usedHeapBytes());
        heap.guest.close();
    }

    /** One tenth of a second of the fleet, with what a job has besides: time that comes, states written back, counters. */
    private void tick() throws Exception {
        long nowMs = FIRST_MS + tick * TICK_MS;
        int lineBytes = put(nowMs);
        guest.prepare(DEVICES, lineBytes);
        if (!unknownKeys.isEmpty()) {
            giveNoStates();
            put(nowMs);
        }
        guest.process(DEVICES, lineBytes);
        if (tick % 2 == 0) {
            guest.timeCame(nowMs - 1000);
        }
        if (tick % 20 == 0) {
            guest.writeBack(1000);
        }
        if (tick % 100 == 0) {
            guest.counters();
        }
        tick += 1;
    }

    private int put(long nowMs) {
        ByteBuffer input = guest.input();
        int at = Bridge.LINES_OFFSET;
        for (int device = 0; device < DEVICES; device++) {
            String reading = "{\"deviceId\":\"press-" + device + "\",\"timestamp\":" + nowMs + ",\"temperature\":" + (40 + (tick + device) % 17 / 3.0)
                    + ",\"vibration\":2.25,\"pressure\":4.5}\n";
            byte[] line = reading.getBytes(StandardCharsets.UTF_8);
            input.putDouble(Bridge.APPEND_TIMES_OFFSET + 8 * device, nowMs);
            input.putDouble(Bridge.OFFSETS_OFFSET + 8 * device, tick * DEVICES + device);
            input.putInt(Bridge.PLACES_OFFSET + 4 * device, 0);
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

    private V8Runtime runtime() throws ReflectiveOperationException {
        Field runtime = Guest.class.getDeclaredField("runtime");
        runtime.setAccessible(true);
        return (V8Runtime) runtime.get(guest);
    }
}
