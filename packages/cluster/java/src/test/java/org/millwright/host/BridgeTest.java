package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bridge against its golden vectors, which {@code bridge.test.ts} reads too. */
class BridgeTest {
    private static JsonNode vectors;

    @BeforeAll
    static void readVectors() throws Exception {
        Path project = Path.of(System.getProperty("basedir", "."));
        vectors = new ObjectMapper().readTree(Files.readString(project.resolve("../../../fixtures/bridge/version-4.json")));
    }

    @Test
    void hasTheConstantsOfTheFixture() throws Exception {
        Map<String, Integer> wanted = new HashMap<>();
        vectors.get("constants").fields().forEachRemaining(entry -> wanted.put(entry.getKey(), entry.getValue().asInt()));
        Map<String, Integer> found = new HashMap<>();
        for (Field field : Bridge.class.getDeclaredFields()) {
            if (field.getType() == int.class) {
                found.put(camelCase(field.getName()), field.getInt(null));
            }
        }
        assertEquals(wanted, found);
    }

    @Test
    void makesTheBundleOfTheFixture() {
        TargetBundle bundle = new TargetBundle(10, 10);
        for (JsonNode record : vectors.get("records")) {
            byte[] value = utf8(record.get("value").asText());
            double appendTimeMs = record.get("appendTimeMs").asDouble();
            bundle.add(record.get("keyGroup").asInt(), appendTimeMs, record.get("offset").asLong(), record.get("place").asInt(), value, 0, value.length);
        }
        assertEquals(vectors.get("bundle").asText(), HexFormat.of().formatHex(bundle.take()));
        assertEquals(0, bundle.count());
    }

    @Test
    void writesTheFramesOfTheFixture() throws Exception {
        byte[] key = utf8("ö-7");
        byte[] keyLength = {(byte) key.length, 0};
        byte[] state = {1, 2, 3};
        assertEquals(toGuest("key"), written(1000, Bridge.FRAME_KEY, key));
        assertEquals(toGuest("state"), written(1000, Bridge.FRAME_STATE, keyLength, key, state));
        assertEquals(toGuest("noState"), written(1000, Bridge.FRAME_STATE, keyLength, key, new byte[0]));
        byte[] control = ControlRecords.encode(1766000000000L, 12, 0, utf8("key"), utf8("value"));
        assertEquals(toGuest("control"), written(1000, Bridge.FRAME_CONTROL, control));
        assertEquals(toGuest("refusedKey"), written(1000, Bridge.FRAME_REFUSED_KEY, key));
        // Room for two bytes of the state: the third goes in a frame of its own, with the next call.
        assertEquals(toGuest("stateInParts"), written(8 + 2 + key.length + 2, Bridge.FRAME_STATE, keyLength, key, state));
    }

    @Test
    void readsTheFramesOfTheFixture() throws Exception {
        JsonNode from = vectors.get("fromGuest");
        List<String> read = new ArrayList<>();
        StringBuilder all = new StringBuilder();
        from.fields().forEachRemaining(entry -> all.append(entry.getValue().asText()));
        byte[] bytes = HexFormat.of().parseHex(all);
        boolean more = new FrameReader(ByteBuffer.wrap(bytes), (kind, payload) -> read.add(kind + " " + payload.remaining())).read(bytes.length);
        assertEquals(true, more);
        assertEquals(List.of("18 4", "19 25", "19 13", "20 16", "20 6", "21 22", "22 23"), read);
    }

    @Test
    void readsAFrameInPartsOverTwoAnswers() throws Exception {
        byte[] bytes = HexFormat.of().parseHex(toGuest("stateInParts"));
        int firstEnd = 8 + ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(4);
        ByteBuffer result = ByteBuffer.allocate(100);
        List<byte[]> read = new ArrayList<>();
        FrameReader reader = new FrameReader(result, (kind, payload) -> {
            assertEquals("ö-7", Guest.key(payload));
            byte[] rest = new byte[payload.remaining()];
            payload.get(rest);
            read.add(rest);
        });
        result.put(0, bytes, 0, firstEnd);
        reader.read(firstEnd);
        result.put(0, bytes, firstEnd, bytes.length - firstEnd);
        reader.read(bytes.length - firstEnd);
        assertArrayEquals(new byte[] {1, 2, 3}, read.get(0));
    }

    private static String toGuest(String name) {
        return vectors.get("toGuest").get(name).asText();
    }

    private static String written(int capacity, int kind, byte[]... payload) throws Exception {
        ByteBuffer input = ByteBuffer.allocate(capacity);
        StringBuilder handedOver = new StringBuilder();
        FrameWriter.Call call = length -> handedOver.append(HexFormat.of().formatHex(input.array(), 0, length));
        FrameWriter writer = new FrameWriter(input);
        writer.begin();
        writer.frame(kind, call, payload);
        writer.finish(call);
        return handedOver.toString();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String camelCase(String constant) {
        StringBuilder name = new StringBuilder();
        for (String word : constant.toLowerCase(java.util.Locale.ROOT).split("_")) {
            name.append(name.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return name.toString();
    }
}
