package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyFinderTest {
    static Stream<Arguments> keys() {
        return Stream.of(
                Arguments.of("{\"deviceId\":\"press-7\",\"t\":1}", "press-7"),
                Arguments.of(" {  \"t\" : [1,{\"deviceId\":\"inner\"}] , \"deviceId\" : \"outer\" } ", "outer"),
                Arguments.of("{\"deviceId\":\"first\",\"deviceId\":\"last\"}", "last"),
                Arguments.of("{\"deviceId\":\"a\\\"b\\\\c\\u00e9\\n\",\"t\":1}", "a\"b\\cé\n"),
                Arguments.of("{\"device\\u0049d\":\"escaped name\"}", "escaped name"),
                Arguments.of("{\"other\":\"a \\\"deviceId\\\":\\\"no\\\" b\",\"deviceId\":\"yes\"}", "yes"),
                Arguments.of("{\"deviceId\":\"ö-Ω-😀\"}", "ö-Ω-😀"),
                Arguments.of("{\"t\":{\"x\":\"}\"},\"deviceId\":\"after\"}", "after"));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void findsTheKeyThatJsonGives(String value, String key) {
        assertEquals(key, find(value).key());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "not json",
                "{}",
                "[\"deviceId\",\"a\"]",
                "{\"deviceId\":7}",
                "{\"deviceId\":null}",
                "{\"deviceId\":\"a\",\"deviceId\":1}",
                "{\"deviceId\":\"\"}",
                "{\"x\":{\"deviceId\":\"a\"}}",
                "{\"deviceId\"",
                "\"deviceId\"",
            })
    void findsNoneWhereThereIsNone(String value) {
        assertFalse(find(value).found());
    }

    @Test
    void hashesAsFlinkHashesTheString() {
        for (String key : new String[] {"press-7", "ö-Ω-😀", "a\\nb", ""}) {
            KeyFinder finder = find("{\"deviceId\":\"" + key + "\"}");
            assertEquals(finder.key().hashCode(), finder.hash());
        }
    }

    @Test
    void comparesWithTheKeyOfTheRecord() {
        byte[] key = "xxa\nb".getBytes(StandardCharsets.UTF_8);
        assertTrue(find("{\"deviceId\":\"a\\nb\"}").equals(key, 2, 3));
        assertFalse(find("{\"deviceId\":\"a\\nc\"}").equals(key, 2, 3));
    }

    @Test
    void survivesWhateverIsCutAnywhere() {
        String value = "{\"t\":[{\"a\":\"\\u00e9\"}],\"deviceId\":\"press\\t7\",\"x\":null}";
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        for (int end = 0; end <= bytes.length; end++) {
            KeyFinder finder = new KeyFinder("deviceId");
            finder.find(bytes, 0, end);
            finder.key();
            finder.hash();
        }
    }

    /** K3: a blank before the value has it walked through. */
    @Test
    void findsTheSameWhetherTheValueIsWalkedThroughOrNot() {
        String[] texts = {"", "press-7", "deviceId", "ö", "a\\\"b", "12345678", "x\\u0049", "deviceI"};
        String[] names = {"deviceId", "device\\u0049d", "t", "deviceIds", "d"};
        Random random = new Random(7);
        for (int i = 0; i < 2_000; i++) {
            StringBuilder value = new StringBuilder("{\"deviceId\":\"" + texts[random.nextInt(texts.length)] + "\"");
            for (int left = random.nextInt(4); left > 0; left--) {
                String text = '"' + texts[random.nextInt(texts.length)] + '"';
                String[] values = {text, "1.5", "{" + text + ":" + text + "}", "[" + text + ",null]", "{\"deviceId\":\"inner\"}"};
                value.append(",\"" + names[random.nextInt(names.length)] + "\":" + values[random.nextInt(values.length)]);
            }
            value.append('}');
            assertEquals(find(" " + value).key(), find(value.toString()).key(), value::toString);
        }
    }

    private static KeyFinder find(String value) {
        KeyFinder finder = new KeyFinder("deviceId");
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        finder.find(bytes, 0, bytes.length);
        return finder;
    }
}
