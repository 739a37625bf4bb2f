package org.millwright.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.StateObjectCollection;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class GuestOperatorTest {
    private static final int MAX_PARALLELISM = 128;

    @Test
    void processesABundleWhenItIsFull() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            List<String> values = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                values.add("{\"k\":\"a\"}");
            }
            harness.send(values.subList(0, 99).toArray(String[]::new));
            assertEquals(0, harness.outputs().size());
            harness.send(values.get(99));
            assertEquals(100, harness.outputs().size());
        }
    }

    @Test
    void processesABundleAWhileAfterItsFirstRecord() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}");
            harness.driver.setProcessingTime(49);
            assertEquals(List.of(), harness.outputs());
            harness.driver.setProcessingTime(50);
            assertEquals(List.of("a: 1@0.0"), harness.outputs().stream().map(text -> text.replace("@0", "@0.0")).toList());
        }
    }

    @Test
    void processesABundleBeforeAWatermarkAControlRecordABarrierAndTheEnd() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(5));
            assertEquals(1, harness.outputs().size());
            harness.send("{\"k\":\"a\"}");
            harness.control("key", "new", 0);
            assertEquals(List.of("a: 1@0", "a: 2@1", "a: control new"), harness.outputs());
            harness.send("{\"k\":\"a\"}");
            harness.snapshot();
            assertEquals(4, harness.outputs().size());
            harness.send("{\"k\":\"b\"}");
            harness.driver.endInput1();
            // A bounded run ends all keys, those that are not held too.
            assertEquals(List.of("b: 1@3", "a: end 3@NaN", "b: end 1@NaN"), sortedEnd(harness.outputs(), 4));
        }
    }

    @Test
    void keepsStatesOfKeysThatTheGuestLetsGoOf() throws Exception {
        try (Harness harness = Harness.open(1, 1, 0, null)) {
            for (int round = 0; round < 3; round++) {
                harness.send("{\"k\":\"a\"}", "{\"k\":\"b\"}", "{\"k\":\"c\"}");
                harness.driver.processWatermark1(new Watermark(round));
            }
            assertEquals(List.of("a: 3@6", "b: 3@7", "c: 3@8"), harness.outputs().subList(6, 9));
        }
    }

    @Test
    void hasEverythingInItsStateAtABarrier() throws Exception {
        OperatorSubtaskState snapshot;
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}", "{\"k\":\"b\"}", "{\"k\":\"a\"}");
            harness.control("key", "one", 0);
            snapshot = harness.snapshot();
        }
        try (Harness harness = Harness.open(1000, 1, 0, snapshot)) {
            harness.send("{\"k\":\"a\"}", "{\"k\":\"b\"}");
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(List.of("a: 3@0", "b: 2@1"), harness.outputs());
            // A control record that the state has is not taken twice; one that came later is.
            harness.control("key", "one", 0);
            assertEquals(2, harness.outputs().size());
            harness.control("key", "two", 1);
            assertEquals(4, harness.outputs().size());
        }
    }

    @Test
    void letsTimersGoOffWhenTimeHasComeToThemAndOnlyThen() throws Exception {
        try (Harness harness = Harness.open(1, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"timer\"}", "{\"k\":\"b\"}");
            harness.driver.processWatermark1(new Watermark(999));
            assertEquals(2, harness.outputs().size());
            harness.driver.processWatermark1(new Watermark(1000));
            assertEquals("a: timer 1@1000", harness.outputs().get(2));
            harness.driver.processWatermark1(new Watermark(5000));
            assertEquals(3, harness.outputs().size());
        }
    }

    @Test
    void movesATimerInsteadOfKeepingTwo() throws Exception {
        try (Harness harness = Harness.open(1, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"timer\"}");
            harness.driver.processWatermark1(new Watermark(1));
            harness.send("{\"k\":\"a\",\"does\":\"timer\"}");
            harness.driver.processWatermark1(new Watermark(9000));
            assertEquals(List.of("a: 1@0", "a: 2@1", "a: timer 2@9000"), harness.outputs());
        }
    }

    @Test
    void letsNothingGoOffAtTheEndOfTheInput() throws Exception {
        try (Harness harness = Harness.open(1, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"timer\"}");
            harness.driver.processWatermark1(Watermark.MAX_WATERMARK);
            assertEquals(1, harness.outputs().size());
        }
    }

    @Test
    void goesOnAtAnotherParallelism() throws Exception {
        OperatorSubtaskState snapshot;
        try (Harness harness = Harness.open(2, 1, 0, null)) {
            for (int i = 0; i < 20; i++) {
                harness.send("{\"k\":\"key-" + i + "\",\"does\":\"timer\"}");
            }
            harness.control("key", "one", 0);
            snapshot = harness.snapshot();
        }
        List<String> outputs = new ArrayList<>();
        for (int subtask = 0; subtask < 3; subtask++) {
            OperatorSubtaskState part = AbstractStreamOperatorTestHarness.repartitionOperatorState(snapshot, MAX_PARALLELISM, 1, 3, subtask);
            try (Harness harness = Harness.open(2, 3, subtask, part)) {
                for (int i = 0; i < 20; i++) {
                    int group = KeyGroupRangeAssignment.assignToKeyGroup("key-" + i, MAX_PARALLELISM);
                    if (KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(MAX_PARALLELISM, 3, group) == subtask) {
                        harness.send("{\"k\":\"key-" + i + "\"}");
                    }
                }
                harness.driver.processWatermark1(new Watermark(100_000));
                outputs.addAll(harness.outputs());
            }
        }
        assertEquals(20, outputs.stream().filter(text -> text.contains(": 2@")).count());
        assertEquals(20, outputs.stream().filter(text -> text.contains(": timer 2@100000")).count());
        assertEquals(40, outputs.size());
    }

    @Test
    void failsWithThePlaceOfTheRecordAndInTheSources() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}", "{\"k\":\"a\",\"does\":\"fail\"}");
            GuestFailedException failed = assertThrows(GuestFailedException.class, () -> harness.driver.processWatermark1(new Watermark(1)));
            assertTrue(failed.getMessage().startsWith("Error: as it was asked (at offset 1 of \"a\", partition 0)\nexplained: "), failed.getMessage());
        }
    }

    @Test
    void endsACallThatDoesNotComeBackAndLives() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"loop\"}");
            GuestFailedException failed = assertThrows(GuestFailedException.class, () -> harness.driver.processWatermark1(new Watermark(1)));
            assertTrue(failed.getMessage().contains("it took longer than 1000 ms of processor time"), failed.getMessage());
        }
        worksAfterwards();
    }

    @Test
    void goesOnWithoutTheRecordAtWhichAProjectFunctionDoesNotComeBack() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}", "{\"k\":\"a\",\"does\":\"project-loop\"}", "{\"k\":\"b\",\"does\":\"project-loop\"}", "{\"k\":\"b\"}");
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(
                    List.of(
                            "a: 1@0",
                            "a: without 1 within 200 ms of processor time (explained: guest.js:" + TestJobs.lineOf("function endless(") + ":3)",
                            "b: without 2 within 200 ms of processor time (explained: guest.js:" + TestJobs.lineOf("function endless(") + ":3)",
                            "b: 1@3"),
                    harness.outputs());
            harness.send("{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(2));
            assertEquals("a: 2@4", harness.outputs().get(4));
        }
    }

    @Test
    void goesOnWithoutTheRecordsAtWhichAProjectFunctionFillsTheHeapHoweverMany() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            String place = " MB of memory (explained: guest.js:" + TestJobs.lineOf("function hungry(") + ":3)";
            for (int i = 0; i < 5; i++) {
                harness.send("{\"k\":\"a\"}", "{\"k\":\"a\",\"does\":\"project-heap\"}", "{\"k\":\"b\"}");
                harness.driver.processWatermark1(new Watermark(i));
                List<String> outputs = harness.outputs().subList(3 * i, 3 * i + 3);
                assertEquals("a: " + (i + 1) + "@" + 3 * i, outputs.get(0));
                assertTrue(outputs.get(1).startsWith("a: without " + (3 * i + 1) + " within ") && outputs.get(1).endsWith(place), outputs.get(1));
                assertEquals("b: " + (i + 1) + "@" + (3 * i + 2), outputs.get(2));
            }
        }
    }

    @Test
    void livesWhereAFunctionWantsPiecesAsLargeAsTheHeap() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"project-table\"}", "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(2, harness.outputs().size());
            assertTrue(harness.outputs().get(0).startsWith("a: without 0 within "), harness.outputs().get(0));
            assertEquals("a: 1@1", harness.outputs().get(1));
        }
    }

    @Test
    void saysAtWhichRecordAndFunctionACallWasEnded() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"hoard\"}", "{\"k\":\"a\",\"does\":\"project-heap\"}");
            GuestFailedException failed = assertThrows(GuestFailedException.class, () -> harness.driver.processWatermark1(new Watermark(1)));
            assertTrue(failed.getMessage().contains("its heap came to its limit of "), failed.getMessage());
            assertNull(failed.getCause());
            assertTrue(failed.getMessage().contains("(at offset 1 of \"a\", partition 0)"), failed.getMessage());
            assertTrue(
                    failed.getMessage().contains(", in the project's function of a feature (explained: guest.js:" + TestJobs.lineOf("function hungry(")),
                    failed.getMessage());
        }
        worksAfterwards();
    }

    @Test
    void saysWhereItsOwnScriptThrewBeyondAnAnswer() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"throw-beyond\"}");
            GuestFailedException failed = assertThrows(GuestFailedException.class, () -> harness.driver.processWatermark1(new Watermark(1)));
            assertTrue(failed.getMessage().contains("beyond"), failed.getMessage());
            assertTrue(failed.getMessage().contains("explained: "), failed.getMessage());
        }
    }

    @Test
    void endsAGuestWhoseHeapIsFullAndLives() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\",\"does\":\"heap\"}");
            GuestFailedException failed = assertThrows(GuestFailedException.class, () -> harness.driver.processWatermark1(new Watermark(1)));
            assertTrue(failed.getMessage().contains("its heap came to its limit"), failed.getMessage());
        }
        worksAfterwards();
    }

    @Test
    void refusesAScriptOfAnotherVersion() {
        GuestScript other = new GuestScript("globalThis.millwright = { version: () => 1 }", "{}");
        GuestFailedException failed = assertThrows(GuestFailedException.class, () -> Guest.open(other, TestJobs.options(1), 0, (kind, payload) -> {}));
        assertTrue(failed.getMessage().contains("bridge version 4: found 1"), failed.getMessage());
    }

    @Test
    void takesTheControlRecordsThatAreThereBeforeTheFirstBundle() throws Exception {
        byte[] record = ControlRecords.encode(7, 3, 0, "key".getBytes(StandardCharsets.UTF_8), "there".getBytes(StandardCharsets.UTF_8));
        try (Harness harness = Harness.open(1000, 1, 0, null, () -> reached -> List.of(record))) {
            harness.send("{\"k\":\"a\"}");
            harness.control("key", "again", 3);
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(List.of("a: 1@0"), harness.outputs());
        }
    }

    @Test
    void givesWhatAControlRecordBringsAboutOnceOverRestartsOfOneScript() throws Exception {
        byte[] first = ControlRecords.encode(7, 0, 0, "one".getBytes(StandardCharsets.UTF_8), "say".getBytes(StandardCharsets.UTF_8));
        byte[] second = ControlRecords.encode(8, 1, 0, "two".getBytes(StandardCharsets.UTF_8), "say".getBytes(StandardCharsets.UTF_8));
        OperatorSubtaskState snapshot;
        try (Harness harness = Harness.open(1000, 1, 0, null, () -> reached -> List.of(first))) {
            assertEquals(List.of("one: said"), harness.outputs());
            snapshot = harness.snapshot();
        }
        try (Harness harness = Harness.open(1000, 1, 0, snapshot, () -> reached -> List.of(second))) {
            assertEquals(List.of("two: said"), harness.outputs());
            harness.control("three", "say", 2);
            assertEquals(List.of("two: said", "three: said"), harness.outputs());
        }
        GuestScript other = new GuestScript(TestJobs.script().source() + "// another one", "{}");
        try (Harness harness = Harness.open(TestJobs.options(1000), other, 1, 0, snapshot, () -> reached -> List.of())) {
            assertEquals(List.of("one: said"), harness.outputs());
        }
    }

    @Test
    void takesTheControlRecordsThatMayConcernARecordBeforeIt() throws Exception {
        List<byte[]> log = new ArrayList<>();
        try (Harness harness = Harness.open(1000, 1, 0, null, () -> reached -> List.copyOf(log))) {
            harness.sendAt(0, 1000, "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1000));
            log.add(ControlRecords.encode(1001, 0, 0, "one".getBytes(StandardCharsets.UTF_8), "say".getBytes(StandardCharsets.UTF_8)));
            // It was appended 250 ms before the second of these at most, and before the third for sure.
            harness.sendAt(0, 1250, "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1250));
            assertEquals(List.of("a: 1@1000", "a: 2@1250"), harness.outputs());
            harness.sendAt(0, 1251, "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1251));
            assertEquals(List.of("a: 1@1000", "a: 2@1250", "one: said", "a: control say", "a: 3@1251"), harness.outputs());
            // What was taken is not taken again when it comes by itself.
            harness.control("one", "say", 0);
            assertEquals(5, harness.outputs().size());
        }
    }

    @Test
    void mergesInputsByAppendTimeHoldingWhatMayNotBeDueAlsoOverARescaling() throws Exception {
        OperatorSubtaskState snapshot;
        JobOptions merging = TestJobs.options(1000, true);
        try (Harness harness = Harness.open(merging, 1, 0, null)) {
            harness.sendAt(0, 30, "{\"k\":\"a\"}");
            harness.sendAt(0, 40, "{\"k\":\"a\"}");
            harness.sendAt(1, 20, "{\"k\":\"a\"}");
            // Another record of that very millisecond may come, and be one to go before.
            harness.driver.processWatermark1(new Watermark(30));
            assertEquals(List.of("a: 1@20"), harness.outputs());
            harness.sendAt(1, 30, "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(31));
            assertEquals(List.of("a: 1@20", "a: 2@30", "a: 3@30"), harness.outputs());
            snapshot = harness.snapshot();
            assertEquals(3, harness.outputs().size());
        }
        List<String> outputs = new ArrayList<>();
        for (int subtask = 0; subtask < 2; subtask++) {
            OperatorSubtaskState part = AbstractStreamOperatorTestHarness.repartitionOperatorState(snapshot, MAX_PARALLELISM, 1, 2, subtask);
            try (Harness harness = Harness.open(merging, 2, subtask, part)) {
                if (KeyGroupRangeAssignment.assignKeyToParallelOperator("a", MAX_PARALLELISM, 2) == subtask) {
                    harness.sendAt(1, 35, "{\"k\":\"a\"}");
                }
                harness.driver.processWatermark1(new Watermark(41));
                outputs.addAll(harness.outputs());
            }
        }
        assertEquals(List.of("a: 4@35", "a: 5@40"), outputs);
        // A job that does not merge takes what the one before held, before all else.
        try (Harness harness = Harness.open(1000, 1, 0, snapshot)) {
            harness.sendAt(0, 50, "{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(List.of("a: 4@40", "a: 5@50"), harness.outputs());
        }
    }

    @Test
    void refusesKeysBeyondTheRoomOfTheirGroupAlsoAfterARescaling() throws Exception {
        JobOptions options = TestJobs.options(2, false, 1);
        List<String> keys = keysOfOneGroup((int) KeyRoom.keysOfGroupMax(1, MAX_PARALLELISM) + 3);
        int last = keys.size() - 3;
        OperatorSubtaskState snapshot;
        try (Harness harness = Harness.open(options, 1, 0, null)) {
            for (String key : keys.subList(0, last + 1)) {
                harness.send("{\"k\":\"" + key + "\"}");
            }
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(keys.get(last - 1) + ": 1@" + (last - 1), harness.outputs().get(last - 1));
            assertEquals(keys.get(last) + ": refused", harness.outputs().get(last));
            // Those that are known go on, whether the guest holds them or not; a key that began and ended in one bundle takes no room.
            harness.send("{\"k\":\"" + keys.get(0) + "\"}", "{\"k\":\"" + keys.get(1) + "\",\"does\":\"forget\"}");
            harness.driver.processWatermark1(new Watermark(2));
            assertEquals(keys.get(0) + ": 2@" + (last + 1), harness.outputs().get(last + 1));
            harness.send("{\"k\":\"" + keys.get(last) + "\",\"does\":\"forget\"}");
            harness.driver.processWatermark1(new Watermark(3));
            harness.send("{\"k\":\"" + keys.get(last + 1) + "\"}", "{\"k\":\"" + keys.get(last + 2) + "\"}");
            harness.driver.processWatermark1(new Watermark(4));
            assertEquals(
                    List.of(keys.get(last + 1) + ": 1@" + (last + 4), keys.get(last + 2) + ": refused"),
                    harness.outputs().subList(last + 2, last + 4));
            snapshot = harness.snapshot();
        }
        for (OperatorSubtaskState state : List.of(snapshot, withoutCounts(snapshot))) {
            int group = KeyGroupRangeAssignment.assignToKeyGroup(keys.get(0), MAX_PARALLELISM);
            int subtask = KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(MAX_PARALLELISM, 3, group);
            OperatorSubtaskState part = AbstractStreamOperatorTestHarness.repartitionOperatorState(state, MAX_PARALLELISM, 1, 3, subtask);
            try (Harness harness = Harness.open(options, 3, subtask, part)) {
                harness.send("{\"k\":\"" + keys.get(0) + "\"}", "{\"k\":\"" + keys.get(last) + "\"}");
                harness.driver.processWatermark1(new Watermark(1));
                assertEquals(List.of(keys.get(0) + ": 3@0", keys.get(last) + ": refused"), harness.outputs());
            }
        }
    }

    private static List<String> keysOfOneGroup(int count) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> "key-" + i)
                .filter(key -> KeyGroupRangeAssignment.assignToKeyGroup(key, MAX_PARALLELISM) == 77)
                .limit(count)
                .toList();
    }

    /** As a release left it that did not count keys. */
    private static OperatorSubtaskState withoutCounts(OperatorSubtaskState state) {
        return state.toBuilder().setManagedOperatorState(StateObjectCollection.empty()).build();
    }

    private static void worksAfterwards() throws Exception {
        try (Harness harness = Harness.open(1000, 1, 0, null)) {
            harness.send("{\"k\":\"a\"}");
            harness.driver.processWatermark1(new Watermark(1));
            assertEquals(List.of("a: 1@0"), harness.outputs());
        }
    }

    private static List<String> sortedEnd(List<String> outputs, int from) {
        List<String> end = new ArrayList<>(outputs.subList(from, outputs.size()));
        end.subList(1, end.size()).sort(null);
        return end;
    }

    /** Flink's harness with two inputs and keys: its own one takes no factory. */
    private static final class KeyedDriver extends AbstractStreamOperatorTestHarness<byte[]> {
        KeyedDriver(OperatorFactories.Guests factory, int parallelism, int subtask) throws Exception {
            super(factory, MAX_PARALLELISM, parallelism, subtask);
            config.setStatePartitioner(0, (KeySelector<byte[], String>) bundle -> "");
            config.setStateKeySerializer(StringSerializer.INSTANCE);
            config.serializeAllConfigs();
        }

        private GuestOperator guest() {
            return (GuestOperator) getOperator();
        }

        void processElement1(StreamRecord<byte[]> bundle) throws Exception {
            guest().processElement1(bundle);
        }

        void processElement2(StreamRecord<byte[]> record) throws Exception {
            guest().processElement2(record);
        }

        void processWatermark1(Watermark watermark) throws Exception {
            guest().processWatermark1(watermark);
        }

        void endInput1() throws Exception {
            guest().endInput(1);
        }
    }

    /** The operator in Flink's harness. Records get their place in the order of sending as offset and append time. */
    private static final class Harness implements AutoCloseable {
        final KeyedDriver driver;
        private long next;

        private Harness(KeyedDriver driver) {
            this.driver = driver;
        }

        static Harness open(int cacheKeysMax, int parallelism, int subtask, OperatorSubtaskState state) throws Exception {
            return open(cacheKeysMax, parallelism, subtask, state, ControlLog.none());
        }

        static Harness open(JobOptions options, int parallelism, int subtask, OperatorSubtaskState state) throws Exception {
            return open(options, parallelism, subtask, state, ControlLog.none());
        }

        static Harness open(int cacheKeysMax, int parallelism, int subtask, OperatorSubtaskState state, ControlLog controlLog) throws Exception {
            return open(TestJobs.options(cacheKeysMax), parallelism, subtask, state, controlLog);
        }

        static Harness open(JobOptions options, int parallelism, int subtask, OperatorSubtaskState state, ControlLog controlLog) throws Exception {
            return open(options, TestJobs.script(), parallelism, subtask, state, controlLog);
        }

        static Harness open(JobOptions options, GuestScript script, int parallelism, int subtask, OperatorSubtaskState state, ControlLog controlLog) throws Exception {
            var factory = new OperatorFactories.Guests(options, script, controlLog);
            KeyedDriver driver = new KeyedDriver(factory, parallelism, subtask);
            driver.setup();
            if (state != null) {
                driver.initializeState(state);
            }
            driver.open();
            return new Harness(driver);
        }

        void send(String... values) throws Exception {
            TargetBundle bundle = new TargetBundle(values.length, 1024);
            for (String value : values) {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                bundle.add(0, next, next, 0, bytes, 0, bytes.length);
                next += 1;
            }
            driver.processElement1(new StreamRecord<>(bundle.take()));
        }

        /** Sends one record of an input, in the key group of key "a". */
        void sendAt(int input, long appendTimeMs, String value) throws Exception {
            TargetBundle bundle = new TargetBundle(1, 1024);
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            int keyGroup = KeyGroupRangeAssignment.assignToKeyGroup("a", MAX_PARALLELISM);
            bundle.add(keyGroup, appendTimeMs, next, input << Bridge.PLACE_PARTITION_BITS, bytes, 0, bytes.length);
            next += 1;
            driver.processElement1(new StreamRecord<>(bundle.take()));
        }

        void control(String key, String value, long offset) throws Exception {
            byte[] record = ControlRecords.encode(7, offset, 0, key.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8));
            driver.processElement2(new StreamRecord<>(record));
        }

        OperatorSubtaskState snapshot() throws Exception {
            driver.prepareSnapshotPreBarrier(1);
            return driver.snapshot(1, 1);
        }

        List<String> outputs() {
            return driver.extractOutputValues().stream().map(TestJobs::text).toList();
        }

        @Override
        public void close() throws Exception {
            driver.close();
        }
    }
}
