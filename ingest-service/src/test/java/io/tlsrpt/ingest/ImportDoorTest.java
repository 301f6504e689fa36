package io.tlsrpt.ingest;

import static io.tlsrpt.ingest.TestIntake.header;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.ingest.TestIntake.Broker;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init") // opened before each test
class ImportDoorTest {

    @TempDir
    Path data;

    private final HttpClient client = HttpClient.newHttpClient();
    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("latest");
    private final List<Mail> mailsTaken = new ArrayList<>();
    private final Deque<MailOutcome> mailOutcomes = new ArrayDeque<>();
    private TestIntake intake;
    private TopicPartition verdicts;
    private VerdictWatch watch;
    private HttpListener listener;
    private volatile Settings settings = SettingsFile.defaults();

    @BeforeEach
    void open() {
        intake = new TestIntake(data, Broker.ACKNOWLEDGES, "");
        verdicts = new TopicPartition(intake.topics.verdicts().name(), 0);
        consumer.updatePartitions(verdicts.topic(), List.of(new PartitionInfo(verdicts.topic(), 0, null, null, null)));
        consumer.updateEndOffsets(Map.of(verdicts, 0L));
        watch = new VerdictWatch(verdicts.topic(), () -> consumer);
        ImportDoor door = new ImportDoor(
                data.resolve("import"),
                intake.settings.intake(),
                intake.intake,
                this::take,
                intake.spool,
                watch,
                Duration.ofSeconds(2),
                new Access(() -> settings, HostPort.parse("127.0.0.1:0"), intake.meters),
                intake.metrics,
                intake.clock);
        door.start();
        listener = HttpListener.start(
                List.of(new Routes("api", HostPort.parse("127.0.0.1:0"), null, door::routing)), intake.meters);
    }

    @AfterEach
    void close() {
        client.close();
        listener.close();
        watch.close();
        intake.close();
    }

    /// The stream-processor's word on the raw record at this offset, whenever it is read.
    private void verdict(long offset, String verdict) {
        long at = nextVerdict++;
        consumer.schedulePollTask(() -> consumer.addRecord(new ConsumerRecord<>(
                verdicts.topic(),
                0,
                at,
                new byte[0],
                new JsonSerde<>(Verdict.class)
                        .write(new Verdict(verdict, "key-" + offset, 1, null, null, new RawPosition(0, offset))))));
    }

    private long nextVerdict;

    private CompletableFuture<MailOutcome> take(Mail mail) {
        mailsTaken.add(mail);
        return CompletableFuture.completedFuture(mailOutcomes.remove());
    }

    private static MailOutcome noReport() {
        return new MailOutcome.Kept(
                List.of(new Outcome.Refused(RefusalReason.NO_REPORT, "no part of the mail is a report", null)));
    }

    @Test
    void aSingleFileGetsItsVerdict() throws Exception {
        verdict(0, "accepted");
        HttpResponse<String> answer =
                post("?name=google.json.gz", SampleReports.report().gzip());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/x-ndjson");
        assertThat(answer.body())
                .isEqualTo("{\"name\":\"google.json.gz\",\"report-key\":\"key-0\",\"verdict\":\"accepted\"}\n");
        assertThat(header(intake.raw().getFirst(), "source")).isEqualTo("file");
        assertThat(header(intake.raw().getFirst(), "authentication")).isEqualTo("operator");
        assertThat(header(intake.raw().getFirst(), "remote")).isEqualTo("google.json.gz");
    }

    @Test
    void anArchiveIsAnsweredLineByLineInItsOrder() throws Exception {
        Map<String, byte[]> inner = new LinkedHashMap<>();
        inner.put("c.json", report("c"));
        inner.put("deeper.zip", zip(Map.of("d.json", report("d"))));
        Map<String, byte[]> outer = new LinkedHashMap<>();
        outer.put("folder/", new byte[0]);
        outer.put("../../a.json", report("a"));
        outer.put("README.md", utf8("# hello"));
        outer.put("b.json.gz", SampleReports.report().id("b").gzip());
        outer.put("mail.eml", utf8("From: x"));
        outer.put("broken.json", utf8("{"));
        outer.put("inner.zip", zip(inner));
        verdict(0, "accepted");
        verdict(1, "duplicate");
        verdict(2, "replaced");
        mailOutcomes.add(noReport());

        List<ImportDoor.Line> lines = lines(post("", zip(outer)));

        assertThat(lines.stream().map(ImportDoor.Line::name))
                .containsExactly(
                        "folder/",
                        "../../a.json",
                        "README.md",
                        "b.json.gz",
                        "mail.eml",
                        "broken.json",
                        "inner.zip/c.json",
                        "inner.zip/deeper.zip");
        assertThat(lines.stream().map(ImportDoor.Line::verdict))
                .containsExactly(
                        "skipped", "accepted", "skipped", "duplicate", "rejected", "rejected", "replaced", "rejected");
        assertThat(lines.get(4).reason()).isEqualTo("no-report");
        assertThat(lines.get(5).reason()).isEqualTo("truncated");
        assertThat(intake.rejected()).hasSize(2);
        try (Stream<Path> left = Files.list(data.resolve("import"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aMailIsVouchedForAndHasALineForEachOfItsReports() throws Exception {
        verdict(7, "accepted");
        verdict(8, "conflict");
        mailOutcomes.add(new MailOutcome.Kept(List.of(
                new Outcome.Accepted("a", new RawPosition(0, 7)),
                new Outcome.Accepted("b", new RawPosition(0, 8)),
                new Outcome.Refused(RefusalReason.TRUNCATED, "gzip ends", null))));

        List<ImportDoor.Line> lines = lines(post("?name=x.eml&backfill=true", utf8("From: x\r\n\r\n")));

        assertThat(lines.stream().map(line -> line.name() + " " + line.verdict()))
                .containsExactly("x.eml report 1 accepted", "x.eml report 2 conflict", "x.eml report 3 rejected");
        assertThat(mailsTaken).singleElement().satisfies(mail -> {
            assertThat(mail.vouched()).isTrue();
            assertThat(mail.source()).isEqualTo(Source.FILE);
            assertThat(mail.remote()).isEqualTo("x.eml");
            assertThat(mail.backfill()).isEqualTo(Submission.Backfill.YES);
        });
    }

    @Test
    void theMailsOfAnMboxAreAnsweredInTheirOrderAlsoWithoutAReport() throws Exception {
        verdict(3, "accepted");
        mailOutcomes.add(noReport());
        mailOutcomes.add(new MailOutcome.Kept(List.of(new Outcome.Accepted("a", new RawPosition(0, 3)))));
        String from = "From x@example.com Sat Nov 21 10:11:12 2026\n";

        List<ImportDoor.Line> lines = lines(post("?name=a.mbox", utf8(from + "To: x\n\n" + from + "To: y\n\n")));

        assertThat(lines.stream().map(line -> line.name() + " " + line.verdict()))
                .containsExactly("a.mbox#1 rejected", "a.mbox#2 accepted");
    }

    @Test
    void aMailThatCannotBeStoredNowIsToBeImportedAgain() throws Exception {
        mailOutcomes.add(new MailOutcome.TryAgain("the broker cannot be reached", false));

        assertThat(post("?name=x.eml", utf8("From: x\r\n\r\n")).statusCode()).isEqualTo(503);
    }

    @Test
    void asItsChannelADocumentIsUntrustedAndKeepsTheChannelsDomain() throws Exception {
        verdict(0, "accepted");
        verdict(1, "accepted");
        byte[] nameless =
                SampleReports.report().policy("sts", "example.org", 1, 0).bytes();

        post(
                "?name=rejected-0-1&authentication=channel&received-at=2026-11-20T00:00:00Z&channel-domain=example.com",
                nameless);
        post("?authentication=channel&dkim-domain=google.com", report("b"));

        assertThat(header(intake.raw().get(0), "authentication")).isEqualTo("none");
        assertThat(header(intake.raw().get(0), "channel-domain")).isEqualTo("example.com");
        assertThat(header(intake.raw().get(0), "received-at")).isEqualTo(TestIntake.NOW.toString());
        assertThat(header(intake.raw().get(1), "authentication")).isEqualTo("dkim");
        assertThat(header(intake.raw().get(1), "dkim-domain")).isEqualTo("google.com");
    }

    @Test
    void asItsChannelAMailNeedsASignatureThatHoldsWhenItCame() throws Exception {
        mailOutcomes.add(noReport());

        post(
                "?authentication=channel&received-at=2026-11-20T00:00:00Z&channel-domain=example.com",
                utf8("From: x\r\n\r\n"));

        assertThat(mailsTaken).singleElement().satisfies(mail -> {
            assertThat(mail.vouched()).isFalse();
            assertThat(mail.deliveredAt()).isEqualTo("2026-11-20T00:00:00Z");
            assertThat(mail.receivedAt()).isEqualTo(TestIntake.NOW);
            assertThat(mail.channelDomain()).isEqualTo("example.com");
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "backfill=maybe",
                "authentication=dkim",
                "authentication=channel&received-at=yesterday",
                "authentication=channel&received-at=2999-01-01T00:00:00Z",
                "authentication=channel&dkim-domain=a%20b",
                "received-at=2026-11-20T00:00:00Z",
                "authentication=operator&dkim-domain=google.com",
                "channel-domain=Not+A+Domain"
            })
    void aFaultyParameterIsRefusedBeforeAnythingIsTaken(String query) throws Exception {
        HttpResponse<String> answer = post("?" + query, report("a"));

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("bad-parameter");
        assertThat(intake.raw()).isEmpty();
    }

    @Test
    void aVerdictThatDoesNotComeIsPending() throws Exception {
        List<ImportDoor.Line> lines = lines(post("", report("a")));
        assertThat(lines.getFirst().verdict()).isEqualTo("pending");
        assertThat(lines.getFirst().reportKey()).startsWith("google.com|a|");
    }

    @Test
    void manyReportsGoThroughAtOnce() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < 5000; i++) {
                zip.putNextEntry(new ZipEntry(i + ".json"));
                zip.write(report("r" + i));
                verdict(i, "accepted");
            }
        }
        List<ImportDoor.Line> lines = lines(post("", bytes.toByteArray()));
        assertThat(lines)
                .hasSize(5000)
                .allSatisfy(line -> assertThat(line.verdict()).isEqualTo("accepted"));
        assertThat(lines.get(4321).name()).isEqualTo("4321.json");
    }

    @Test
    void anArchiveThatBreaksOffSaysSoAfterWhatWasWhole() throws Exception {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("a.json", report("a"));
        entries.put("b.json", report("b"));
        byte[] whole = zip(entries);
        verdict(0, "accepted");

        List<ImportDoor.Line> lines = lines(post("?name=x.zip", java.util.Arrays.copyOf(whole, whole.length / 2)));

        assertThat(lines.getFirst().verdict()).isEqualTo("accepted");
        assertThat(lines.getLast().verdict()).isEqualTo("failed");
        assertThat(lines.getLast().reason()).isEqualTo("broken-archive");
    }

    @Test
    void anArchiveThatInflatesWithoutEndIsGivenUp() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("bomb.json"));
            byte[] zeros = new byte[1024 * 1024];
            for (int i = 0; i < 1024; i++) {
                zip.write(zeros);
            }
            zip.putNextEntry(new ZipEntry("after.json"));
            zip.write(report("a"));
        }
        List<ImportDoor.Line> lines = lines(post("?name=bomb.zip", bytes.toByteArray()));

        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst().reason()).isEqualTo("too-large");
        assertThat(lines.getLast().name()).isEqualTo("bomb.zip");
        assertThat(lines.getLast().detail()).contains("the rest is not read");
    }

    @Test
    void whileTheBrokerIsAwayFilesWait() throws Exception {
        intake.brokerFails();
        HttpResponse<String> answer = post("", report("a"));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
        assertThat(intake.spool.isEmpty()).isTrue();

        intake.brokerIsBack();
        verdict(0, "accepted");
        assertThat(lines(post("", report("a"))).getFirst().verdict()).isEqualTo("accepted");
    }

    @Test
    void aPageOfAnotherSiteCannotVouchForReports() throws Exception {
        String self = "http://127.0.0.1:" + listener.address().port();
        assertThat(post("", report("a"), "Origin", "https://evil.example").statusCode())
                .isEqualTo(403);
        assertThat(post("", report("a"), "Origin", "null").statusCode()).isEqualTo(403);
        assertThat(post("", report("a"), "Sec-Fetch-Site", "cross-site").statusCode())
                .isEqualTo(403);
        assertThat(intake.broker.history()).isEmpty();
        verdict(0, "accepted");
        assertThat(post("", report("a"), "Origin", self).statusCode()).isEqualTo(200);
    }

    @Test
    void onlyWhoMayActOnAllDomainsCanVouchForReports() throws Exception {
        // SHA-256 of "abc"
        String hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        String tokens = "api: {tokens: [{name: a, sha256: " + hash + "%s}]}";
        settings = SettingsFile.parse("test", tokens.formatted(""), name -> null);
        HttpResponse<String> nobody = post("", report("a"));
        assertThat(nobody.statusCode()).isEqualTo(401);
        assertThat(nobody.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"tlsrpt\"");
        assertThat(post("", report("a"), "Authorization", "Bearer abc").statusCode())
                .isEqualTo(403);
        settings = SettingsFile.parse("test", tokens.formatted(", role: operate, labels: {team: mail}"), name -> null);
        assertThat(post("", report("a"), "Authorization", "Bearer abc").body()).contains("\"labels\"");
        assertThat(intake.broker.history()).isEmpty();
        assertThat(intake.count("tlsrpt.intake.turned.away", "why", "not-authenticated"))
                .isEqualTo(1);
        assertThat(intake.count("tlsrpt.intake.turned.away", "why", "not-allowed"))
                .isEqualTo(2);

        settings = SettingsFile.parse("test", tokens.formatted(", role: operate"), name -> null);
        verdict(0, "accepted");
        assertThat(post("", report("a"), "Authorization", "Bearer abc").statusCode())
                .isEqualTo(200);
    }

    @Test
    void aForeignNameThatLeadsToThisMachineCannotVouchForReports() throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.getOutputStream()
                    .write(("POST /api/v1/import HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
                                    + "Content-Length: 2\r\n\r\n{}")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 421").contains("\"foreign-name\"");
        }
        assertThat(intake.broker.history()).isEmpty();
    }

    @Test
    void whatARefusedPageSentIsNotTakenForTheNextRequest() throws Exception {
        byte[] report = report("a");
        String hidden = "POST /api/v1/import HTTP/1.1\r\nHost: x\r\nContent-Length: " + report.length + "\r\n\r\n";
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            OutputStream out = socket.getOutputStream();
            out.write(
                    ("POST /api/v1/import HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nContent-Length: "
                                    + (hidden.length() + report.length) + "\r\n\r\n" + hidden)
                            .getBytes(StandardCharsets.US_ASCII));
            out.write(report);
            socket.shutdownOutput();
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answers).startsWith("HTTP/1.1 403").doesNotContain("HTTP/1.1 200");
        }
        assertThat(intake.broker.history()).isEmpty();
    }

    @Test
    void backfillIsTrueOrFalse() throws Exception {
        assertThat(post("?backfill=perhaps", report("a")).statusCode()).isEqualTo(400);
        verdict(0, "accepted");
        assertThat(post("?backfill=true", report("a")).statusCode()).isEqualTo(200);
        assertThat(header(intake.raw().getFirst(), "backfill")).isEqualTo("true");
    }

    @Test
    void anEmptyFileIsRejectedAsEmpty() throws Exception {
        List<ImportDoor.Line> lines = lines(post("?name=a.json", new byte[0]));
        assertThat(lines.getFirst().reason()).isEqualTo("empty");
    }

    @Test
    void otherMethodsAreToldThatFilesArePosted() throws Exception {
        HttpResponse<String> answer =
                client.send(HttpRequest.newBuilder(uri("")).GET().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("allow")).contains("POST");
    }

    private URI uri(String query) {
        return URI.create("http://127.0.0.1:" + listener.address().port() + "/api/v1/import" + query);
    }

    private HttpResponse<String> post(String query, byte[] body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(query));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(
                request.POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static List<ImportDoor.Line> lines(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body()
                .lines()
                .map(line -> Json.MAPPER.readValue(line, ImportDoor.Line.class))
                .toList();
    }

    private static byte[] report(String id) {
        return SampleReports.report().id(id).bytes();
    }

    private static byte[] zip(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
