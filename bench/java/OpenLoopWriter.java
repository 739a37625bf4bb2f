import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes prepared readings to Kafka on a schedule that does not wait for anything: Kafka's own client, so that the writer takes little of the
 * processors that it shares with what is measured.
 *
 * <p>{@code OpenLoopWriter BROKERS TOPIC LINES READINGS PER_INTERVAL INTERVAL_MS STEP_MS}. {@code LINES} is a file with a line a device:
 * partition, epoch milliseconds of its first reading, key and value, parted by tabs; the value's timestamp is thirteen zeros, in whose place the
 * time is written. The devices write in turn, each {@code STEP_MS} of event time after its last reading. It says {@code ready} when it knows
 * its brokers, takes the epoch milliseconds of the first interval from its input, and ends when all is acknowledged, with the lateness of each
 * interval's first reading, in milliseconds, one a line.
 */
final class OpenLoopWriter {
    private static final String TIMESTAMP = "0000000000000";

    private OpenLoopWriter() {}

    private record Device(int partition, long firstMs, byte[] key, byte[] value, int timestampAt) {
        static Device of(String line) {
            String[] parts = line.split("\t");
            byte[] value = parts[3].getBytes(StandardCharsets.UTF_8);
            return new Device(Integer.parseInt(parts[0]), Long.parseLong(parts[1]), parts[2].getBytes(StandardCharsets.UTF_8), value, parts[3].indexOf(TIMESTAMP));
        }

        /** Writes the time into the value: the client has taken what stood there before. */
        void tell(long timeMs) {
            long left = timeMs;
            for (int i = timestampAt + TIMESTAMP.length() - 1; i >= timestampAt; i--) {
                value[i] = (byte) ('0' + left % 10);
                left /= 10;
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        List<Device> devices = Files.readAllLines(Path.of(arguments[2])).stream().map(Device::of).toList();
        long readingCount = Long.parseLong(arguments[3]);
        int perInterval = Integer.parseInt(arguments[4]);
        long intervalMs = Long.parseLong(arguments[5]);
        long stepMs = Long.parseLong(arguments[6]);
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        settings.put("linger.ms", "5");
        settings.put("batch.size", "262144");
        settings.put("buffer.memory", "134217728");
        AtomicReference<Exception> failed = new AtomicReference<>();
        double[] lateMs = new double[(int) ((readingCount + perInterval - 1) / perInterval)];
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.partitionsFor(topic);
            System.out.println("ready");
            long beganMs = Long.parseLong(new BufferedReader(new InputStreamReader(System.in)).readLine().trim());
            long reading = 0;
            for (int interval = 0; reading < readingCount; interval++) {
                long dueMs = beganMs + interval * intervalMs;
                while (System.currentTimeMillis() < dueMs) {
                    LockSupport.parkNanos(1_000_000L * Math.max(1, dueMs - System.currentTimeMillis()));
                }
                lateMs[interval] = System.currentTimeMillis() - dueMs;
                for (long end = Math.min(reading + perInterval, readingCount); reading < end; reading++) {
                    Device device = devices.get((int) (reading % devices.size()));
                    device.tell(device.firstMs() + reading / devices.size() * stepMs);
                    producer.send(new ProducerRecord<>(topic, device.partition(), device.key(), device.value()), (written, refused) -> {
                        if (refused != null) {
                            failed.compareAndSet(null, refused);
                        }
                    });
                }
                if (failed.get() != null) {
                    throw failed.get();
                }
            }
            producer.flush();
        }
        if (failed.get() != null) {
            throw failed.get();
        }
        StringBuilder said = new StringBuilder();
        Arrays.stream(lateMs).forEach(late -> said.append(late).append('\n'));
        System.out.print(said);
    }
}
