package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.console.ConsoleService;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.LiveSettings;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `GET /api/v1/stream` of a console on a real broker.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LiveStreamIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Path directory;
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<Follower> followers = new CopyOnWriteArrayList<>();
    private EmbeddedBroker broker;
    private Settings settings;
    private Topics topics;
    private ServiceHost host;
    private Producer<byte[], byte[]> producer;
    private int partitions;

    @BeforeAll
    void start(@TempDir Path temporary) {
        directory = temporary;
        broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"));
        settings = settings("console");
        partitions = settings.kafka().newTopicPartitions();
        topics = new Topics(settings.topicPrefix(), settings.retention());
        host = startConsole(settings);
        producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrapServers(),
                        "transactional.id",
                        "it",
                        "acks",
                        "all",
                        "max.request.size",
                        2_000_000),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
    }

    @AfterEach
    void leave() {
        followers.forEach(Follower::close);
        followers.clear();
    }

    @AfterAll
    void stop() {
        producer.close();
        host.close();
        broker.close();
        http.close();
    }

    @Test
    void whatIsCommittedComesOnceInTheOrderOfItsPartitionAndWhatIsAbortedNever() {
        String domain = "order.example";
        committed(() -> event(domain, "before anybody looked"));
        Follower all = follow("topic=events");
        Follower one = follow("topic=events&domain=ORDER.example.");
        committed(() -> IntStream.range(0, 50).forEach(i -> event(domain, "first " + i)));
        producer.beginTransaction();
        event(domain, "aborted");
        producer.flush();
        producer.abortTransaction();
        committed(() -> {
            event("other.example", "not asked for");
            IntStream.range(0, 50).forEach(i -> event(domain, "second " + i));
        });

        List<String> expected = new ArrayList<>();
        IntStream.range(0, 50).forEach(i -> expected.add("first " + i));
        IntStream.range(0, 50).forEach(i -> expected.add("second " + i));
        await().atMost(PATIENCE).until(() -> one.events.size() >= 100 && all.events.size() >= 101);
        assertThat(one.texts()).containsExactlyElementsOf(expected);
        assertThat(all.texts())
                .containsAll(expected)
                .contains("not asked for")
                .doesNotContain("before anybody looked")
                .hasSize(101);
        assertThat(all.events).extracting(Event::word).containsOnly("events");
        assertThat(all.headers.firstValue("Content-Type")).contains("text/event-stream");
        assertThat(all.headers.firstValue("X-Accel-Buffering")).contains("no");
        assertThat(all.headers.firstValue("Cache-Control")).contains("no-store");
    }

    @Test
    void whoComesBackWithTheLastIdMissesNothingAndGetsNothingTwice() {
        String domain = "resume.example";
        String query = "topic=events&domain=" + domain;
        String start = follow(query).closedAfter(0).lastId();
        committed(() -> IntStream.range(0, 20).forEach(i -> event(domain, "e" + i)));

        List<String> seen = new ArrayList<>();
        String id = start;
        for (int visit = 0; seen.size() < 60; visit++) {
            Follower back = visit % 2 == 0
                    ? follow(query, "Last-Event-ID", id)
                    : follow(query + "&last-event-id=" + id, "Accept", "text/event-stream");
            await().atMost(PATIENCE).until(() -> back.events.size() >= 7 || seen.size() + back.events.size() >= 60);
            back.close();
            List<Event> got = back.events.subList(0, Math.min(7, back.events.size()));
            got.forEach(event -> seen.add(event.text()));
            id = got.getLast().id;
            if (visit == 0 || visit == 2) {
                int from = 20 + 10 * visit;
                committed(() -> IntStream.range(from, from + 20).forEach(i -> event(domain, "e" + i)));
            }
        }

        assertThat(seen)
                .containsExactlyElementsOf(
                        IntStream.range(0, 60).mapToObj(i -> "e" + i).toList());
    }

    @Test
    void whereThePositionIsNotKeptTheStreamSaysSoAndGoesOnAtWhatIsKept() throws Exception {
        String domain = "gone.example";
        String id = follow("topic=events&domain=" + domain).closedAfter(0).lastId();
        committed(() -> IntStream.range(0, 5).forEach(i -> event(domain, "e" + i)));
        TopicPartition partition = new TopicPartition(topics.events().name(), Topics.partition(domain, partitions));
        long third = Follower.positions(id).getOrDefault(partition.partition(), 0L) + 3;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(third)))
                    .all()
                    .get();
        }

        Follower back = follow("topic=events&domain=" + domain, "Last-Event-ID", id);

        await().atMost(PATIENCE).until(() -> back.events.size() >= 2);
        assertThat(back.texts()).containsExactly("e3", "e4");
        assertThat(back.comments).anyMatch(comment -> comment.endsWith("is not kept; going on at " + third));
    }

    @Test
    void anIdThatIsNoneOfThisTopicIsRefused() throws Exception {
        String events = follow("topic=events").closedAfter(0).lastId();
        for (String query : List.of(
                "topic=alerts&last-event-id=" + events,
                "topic=events&last-event-id=garbage",
                "topic=events&last-event-id=%00%0a",
                "topic=events&last-event-id=" + encoded("events 0:1,0"),
                "topic=events&last-event-id=" + encoded("events 4294967295:1"),
                "topic=events&last-event-id=" + encoded("events 999:1"),
                "topic=raw",
                "topic=",
                "domain=example.com",
                "topic=events&topic=alerts")) {
            assertThat(answer("/api/v1/stream?" + query).statusCode()).as(query).isEqualTo(400);
        }
        HttpResponse<Void> head = http.send(
                HttpRequest.newBuilder(uri("/api/v1/stream?topic=events"))
                        .HEAD()
                        .build(),
                HttpResponse.BodyHandlers.discarding());
        assertThat(head.statusCode()).isEqualTo(200);
        HttpResponse<?> impossible =
                answer("/api/v1/stream?topic=events&last-event-id=" + encoded("events 0:18446744073709551615"));
        assertThat(impossible.statusCode()).as("an offset that cannot be").isEqualTo(400);
    }

    @Test
    void nothingInARecordLeavesItsLine() {
        String hostile =
                "a\r\nevent: forged\ndata: {}\n\nid: 1\u0000\u2028\u2029\u0085\u001b[31m\u009b2J\u202e</script>";
        Follower follower = follow("topic=verdicts");
        String key = "google.com|r|2026-11-20T00:00:00Z|hostile.example";
        byte[] pretty = Json.MAPPER
                .writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(Map.of("verdict", "rejected", "report-key", key, "detail", hostile));
        committed(() -> {
            send(topics.verdicts(), 0, key, null);
            send(topics.verdicts(), 0, key, "no json\n\nevent: forged\n\n".getBytes(StandardCharsets.UTF_8));
            send(topics.verdicts(), 0, key, "[1]".getBytes(StandardCharsets.UTF_8));
            send(topics.verdicts(), 0, key, "{\"detail\":\"\\ud800\"}".getBytes(StandardCharsets.UTF_8));
            send(topics.verdicts(), 0, key, pretty);
        });
        Follower limited = follow("topic=verdicts&domain=hostile.example", "Last-Event-ID", follower.firstId());

        await().atMost(PATIENCE).until(() -> follower.events.size() >= 2 && !limited.events.isEmpty());
        assertThat(follower.events).extracting(Event::word).containsOnly("verdicts");
        assertThat(follower.events.getLast().data).matches("[ -~]*");
        assertThat(follower.events.getLast().json().path("detail").stringValue())
                .isEqualTo(hostile);
        assertThat(limited.events).hasSize(1);
    }

    @Test
    void aClientThatDoesNotReadIsDroppedAndOthersAreNotHeldUp() throws Exception {
        String domain = "slow.example";
        double before = dropped("slow");
        HostPort api = host.address("api");
        try (Socket slow = new Socket()) {
            slow.setReceiveBufferSize(4_096);
            slow.connect(new InetSocketAddress(api.host(), api.port()));
            slow.getOutputStream()
                    .write("GET /api/v1/stream?topic=events HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            InputStream in = slow.getInputStream();
            assertThat(in.read()).isEqualTo('H'); // it is on its way
            Follower quick = follow("topic=events&domain=" + domain);
            String padding = "x".repeat(200_000);
            for (int i = 0; i < 100; i++) {
                String id = i + padding;
                committed(() -> event(domain, id));
            }

            await().atMost(PATIENCE).until(() -> quick.events.size() >= 100);
            await().atMost(PATIENCE).until(() -> dropped("slow") == before + 1);
            committed(() -> event(domain, "after"));
            await().atMost(PATIENCE).until(() -> quick.texts().contains("after"));
        }
    }

    @Test
    void thereAreSixtyFourPlacesWhichBecomeFreeAndNoRequestWaitsForThem() throws Exception {
        await().atMost(PATIENCE).until(() -> gauge() == 0);
        for (int i = 0; i < 64; i++) {
            follow("topic="
                    + List.of("events", "alerts", "aggregates", "verdicts").get(i % 4));
        }
        await().atMost(PATIENCE).until(() -> gauge() == 64);

        HttpResponse<String> refused = answer("/api/v1/stream?topic=events");

        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        for (int i = 0; i < 20; i++) {
            assertThat(answer("/api/v1/domains").statusCode()).isEqualTo(200);
        }
        followers.forEach(Follower::close);
        // two beats: the first tells the system that nobody is there, which tells the second
        await().atMost(PATIENCE).until(() -> gauge() == 0);
        follow("topic=events");
        assertThat(opened()).isEqualTo(gauge() + dropped());
    }

    @Test
    void aBeatComesWhenNothingElseDoesAndMovesTheIdOverWhatWasPassed() {
        Follower follower = follow("topic=aggregates&domain=beat.example");
        committed(() -> send(
                topics.aggregates(), 0, "k", "{\"policy-domain\":\"other.example\"}".getBytes(StandardCharsets.UTF_8)));

        await().atMost(PATIENCE).until(() -> follower.comments.contains("beat"));
        assertThat(follower.events).isEmpty();
        assertThat(follower.lastId()).isNotEqualTo(follower.firstId());
    }

    @Test
    void aBrokerThatStartsAgainIsReadOnFromWhereItStopped() {
        String domain = "restart.example";
        Follower follower = follow("topic=events&domain=" + domain);
        committed(() -> event(domain, "before"));
        await().atMost(PATIENCE).until(() -> follower.events.size() == 1);

        HostPort address = HostPort.parse(broker.bootstrapServers());
        broker.close();
        broker = EmbeddedBroker.start(directory.resolve("broker"), address);
        committed(() -> event(domain, "after"));

        await().atMost(PATIENCE).until(() -> follower.events.size() == 2);
        assertThat(follower.texts()).containsExactly("before", "after");
        assertThat(follower.ended).isFalse();
    }

    @Test
    void stoppingEndsStreamsAtOnce() {
        ServiceHost other = startConsole(settings("other"));
        Follower following;
        try {
            following = new Follower(other.address("api"), "topic=events");
            followers.add(following);
        } finally {
            Thread.ofVirtual().start(other::close);
        }

        await().atMost(Duration.ofSeconds(4)).until(() -> following.ended);
    }

    private Settings settings(String name) {
        try {
            return House.settings(Files.createDirectories(directory.resolve(name)))
                    .withEmbeddedBroker(broker.bootstrapServers());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static ServiceHost startConsole(Settings settings) {
        ServiceHost started = new ServiceHost(LiveSettings.fixed(settings));
        started.start(List.of(new ConsoleService(started.surroundings())));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(started.health().notReady()).isEmpty());
        return started;
    }

    private Follower follow(String query, String... headers) {
        Follower follower = new Follower(host.address("api"), query, headers);
        followers.add(follower);
        return follower;
    }

    private double gauge() {
        return host.surroundings()
                .meters()
                .get("tlsrpt.console.streams")
                .gauge()
                .value();
    }

    private double opened() {
        return host.surroundings()
                .meters()
                .get("tlsrpt.console.stream.opened")
                .counter()
                .count();
    }

    private double dropped() {
        return host.surroundings().meters().get("tlsrpt.console.stream.dropped").counters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    private double dropped(String why) {
        return host.surroundings()
                .meters()
                .get("tlsrpt.console.stream.dropped")
                .tag("why", why)
                .counter()
                .count();
    }

    private void committed(Runnable sends) {
        producer.beginTransaction();
        sends.run();
        producer.commitTransaction();
    }

    private void event(String domain, String text) {
        send(
                topics.events(),
                Topics.partition(domain, partitions),
                domain,
                Json.MAPPER.writeValueAsBytes(Map.of("policy-domain", domain, "text", text)));
    }

    private void send(Topics.Topic topic, int partition, String key, byte @Nullable [] value) {
        var unused = producer.send(
                new ProducerRecord<>(topic.name(), partition, key.getBytes(StandardCharsets.UTF_8), value));
    }

    private HttpResponse<String> answer(String path) throws Exception {
        return http.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return House.uri(host.address("api"), path);
    }

    private static String encoded(String id) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(id.getBytes(StandardCharsets.UTF_8));
    }

    record Event(String id, String word, String data) {

        JsonNode json() {
            return Json.MAPPER.readTree(data);
        }

        String text() {
            return json().path("text").asString("");
        }
    }

    /// A client as browsers are.
    private static final class Follower implements AutoCloseable {

        final List<Event> events = new CopyOnWriteArrayList<>();
        final List<String> comments = new CopyOnWriteArrayList<>();
        final java.net.http.HttpHeaders headers;
        volatile boolean ended;
        private final List<String> ids = new CopyOnWriteArrayList<>();
        private final HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

        Follower(HostPort api, String query, String... more) {
            HttpRequest.Builder request = HttpRequest.newBuilder(House.uri(api, "/api/v1/stream?" + query));
            if (more.length > 0) {
                request.headers(more);
            }
            HttpResponse<InputStream> response;
            try {
                response = http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
            assertThat(response.statusCode()).isEqualTo(200);
            headers = response.headers();
            Thread.ofVirtual().start(() -> read(response.body()));
            await().atMost(PATIENCE).until(() -> !ids.isEmpty());
        }

        private void read(InputStream body) {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
                String id = "";
                String word = "message";
                String data = "";
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith(": ")) {
                        comments.add(line.substring(2));
                    } else if (line.startsWith("id: ")) {
                        id = line.substring(4);
                    } else if (line.startsWith("event: ")) {
                        word = line.substring(7);
                    } else if (line.startsWith("data: ")) {
                        data = line.substring(6);
                    } else if (line.isEmpty()) {
                        if (!data.isEmpty() && !word.equals("position")) {
                            events.add(new Event(id, word, data));
                        }
                        ids.add(id);
                        data = "";
                        word = "message";
                    } else {
                        assertThat(line).startsWith("retry: ");
                    }
                }
            } catch (IOException closed) {
                // as the test, or the server, wanted it
            } finally {
                ended = true;
            }
        }

        List<String> texts() {
            return events.stream().map(Event::text).toList();
        }

        String firstId() {
            return ids.getFirst();
        }

        String lastId() {
            return ids.getLast();
        }

        static Map<Integer, Long> positions(String id) {
            String text = new String(Base64.getUrlDecoder().decode(id), StandardCharsets.UTF_8);
            Map<Integer, Long> positions = new java.util.TreeMap<>();
            for (String position : text.substring(text.indexOf(' ') + 1).split(",", -1)) {
                String[] parts = position.split(":", -1);
                positions.put(Integer.valueOf(parts[0]), Long.valueOf(parts[1]));
            }
            return positions;
        }

        Follower closedAfter(int count) {
            await().atMost(PATIENCE).until(() -> events.size() >= count);
            close();
            return this;
        }

        @Override
        public void close() {
            http.shutdownNow();
        }
    }
}
