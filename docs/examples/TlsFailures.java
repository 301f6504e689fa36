import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Prints each TLS failure that reporters saw, one line each: day, domain, sessions, what, where, who says so.
///
///     java -cp 'standalone/target/lib/*' docs/examples/TlsFailures.java 127.0.0.1:9092 my-group
class TlsFailures {

    public static void main(String[] args) {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers", args[0],
                "group.id", args[1],
                // the writers use transactions: without this you see what was aborted, and count it twice
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false");
        JsonMapper json = new JsonMapper();
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            Thread main = Thread.currentThread();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                consumer.wakeup();
                try {
                    main.join();
                } catch (InterruptedException ignored) {
                    Thread.currentThread().interrupt();
                }
            }));
            consumer.subscribe(List.of("tlsrpt.events"));
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    print(json.readTree(record.value()));
                }
                // after the work, so that a crash repeats records and never leaves one out
                consumer.commitSync();
            }
        } catch (WakeupException stopped) {
            // Ctrl-C or SIGTERM
        }
    }

    /// A repeated record is known by its `event-id`. A retraction has a negative count: adding it up takes back what a report
    /// said that has been replaced by a genuine copy.
    private static void print(JsonNode event) {
        if (!event.path("kind").asString("").equals("failure")) {
            return; // a summary: the entry's totals; never add up failures to get a total (RFC 8460 §4)
        }
        System.out.printf(
                "%s %s %+d %s %s %s%n",
                event.path("start-datetime").asString("").substring(0, 10),
                event.path("policy-domain").asString(""),
                event.path("failed-session-count").asLong(),
                event.path("result-type").asString(""),
                event.path("receiving-mx-hostname").asString("-"),
                event.path("submitter").asString(""));
    }
}
