package io.tlsrpt.ingest;

import static io.tlsrpt.ingest.TestIntake.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.ingest.TestIntake.Broker;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init") // each test opens what it needs first
class ReportEndpointTest {

    private static final String KEY = "google.com|2026-11-20T00:00:00Z_example.com|2026-11-20T00:00:00Z|example.com";
    private static final long ROOM = 64L * 1024 * 1024;

    @TempDir
    Path data;

    private final HttpClient client = HttpClient.newHttpClient();
    private TestIntake door;
    private HttpListener listener;

    private void open(String yaml) {
        open(yaml, Duration.ofSeconds(30), ROOM);
    }

    private void open(String yaml, Duration bodyDeadline, long room) {
        door = new TestIntake(data, Broker.ACKNOWLEDGES, yaml);
        ReportEndpoint endpoint = door.endpoint(bodyDeadline, room);
        listener = HttpListener.start(
                List.of(new Routes("intake", HostPort.parse("127.0.0.1:0"), null, endpoint::routing)), door.meters);
    }

    @AfterEach
    void close() {
        client.close();
        listener.close();
        door.close();
    }

    @Test
    void aReportIsAnswered201WithItsKey() throws Exception {
        open("");
        HttpResponse<String> answer = post("/v1/tlsrpt", SampleReports.report().gzip());

        assertThat(answer.statusCode()).isEqualTo(201);
        assertThat(answer.body()).isEqualTo("{\"report-key\":\"" + KEY + "\"}");
        assertThat(answer.headers().firstValue("content-type")).contains("application/json");
        assertThat(header(door.raw().getFirst(), "remote")).isEqualTo("127.0.0.1");
        assertThat(header(door.raw().getFirst(), "authentication")).isEqualTo("none");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/tlsrpt+gzip",
                "application/tlsrpt+json",
                "Application/TLSRPT+JSON; charset=utf-8",
                "application/gzip",
                "application/x-gzip",
                "application/json",
                "application/octet-stream",
                "multipart/form-data; boundary=x"
            })
    void anyMediaTypeIsTakenGzippedOrNot(String type) throws Exception {
        open("");
        for (byte[] bytes :
                List.of(SampleReports.report().gzip(), SampleReports.report().bytes())) {
            HttpRequest request = to("/v1/tlsrpt")
                    .header("Content-Type", type)
                    .header("Content-Encoding", "gzip")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(bytes))
                    .build();
            assertThat(send(request).statusCode()).isEqualTo(201);
        }
    }

    static Stream<Arguments> badInput() {
        byte[] deep = ("[".repeat(10_000) + "]".repeat(10_000)).getBytes(StandardCharsets.UTF_8);
        byte[] details = ("{\"failure-details\":[" + "{},".repeat(999_999) + "{}]}").getBytes(StandardCharsets.UTF_8);
        byte[] details2 = ("{\"organization-name\":\"x\",\"date-range\":{\"start-datetime\":\"2026-11-20T00:00:00Z\","
                        + "\"end-datetime\":\"2026-11-20T23:59:59Z\"},\"policies\":[{\"policy\":{\"policy-type\":\"sts\","
                        + "\"policy-domain\":\"example.com\"},\"summary\":{\"total-successful-session-count\":1,"
                        + "\"total-failure-session-count\":1},\"failure-details\":["
                        + "{\"result-type\":\"a\"},".repeat(449_999) + "{\"result-type\":\"a\"}]}]}")
                .getBytes(StandardCharsets.UTF_8);
        byte[] noUtf8 = {(byte) 0xff, (byte) 0xfe, (byte) 0xfd, '{', '}', (byte) 0xc3};
        byte[] truncated = Arrays.copyOf(SampleReports.report().gzip(), 60);
        byte[] second = (SampleReports.report().json() + "{}").getBytes(StandardCharsets.UTF_8);
        byte[] year9999 = SampleReports.report()
                .range("9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z")
                .bytes();
        return Stream.of(
                Arguments.of("empty", new byte[0], 400, "empty"),
                Arguments.of("white space", "\n \n".getBytes(StandardCharsets.UTF_8), 400, "empty"),
                Arguments.of("text", "hello".getBytes(StandardCharsets.UTF_8), 400, "not-json"),
                Arguments.of("deep", deep, 400, "too-deep"),
                Arguments.of("a million details at the top", details, 400, "*"),
                Arguments.of("too many details", details2, 413, "too-many-details"),
                Arguments.of("invalid UTF-8", noUtf8, 400, "not-json"),
                Arguments.of("truncated gzip", truncated, 400, "truncated"),
                Arguments.of("two reports in one", second, 400, "trailing-content"),
                Arguments.of("year 9999", year9999, 400, "implausible-date-range"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void badInput(String name, byte[] body, int status, String reason) throws Exception {
        open("");
        HttpResponse<String> answer = post("/v1/tlsrpt", body);

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
        assertThat(answer.body()).contains("\"status\":" + status, "\"title\":", "\"type\":\"urn:tlsrpt:problem:");
        if (!reason.equals("*")) {
            assertThat(answer.body()).contains("\"reason\":\"" + reason + "\"");
            assertThat(door.count("tlsrpt.intake.refused", "reason", reason)).isEqualTo(1);
            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo(reason);
        }
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aGzipBombIsRefusedAtTheCapAndItsHeadIsKept() throws Exception {
        open("");
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(bomb)) {
            byte[] zeros = new byte[1024 * 1024];
            for (int i = 0; i < 1024; i++) {
                gzip.write(zeros);
            }
        }
        HttpResponse<String> answer = post("/v1/tlsrpt", bomb.toByteArray());

        assertThat(answer.statusCode()).isEqualTo(413);
        assertThat(answer.body()).contains("\"reason\":\"too-large\"");
        assertThat(door.rejected().getFirst().value()).hasSizeBetween(1, 64 * 1024);
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aHundredMegabytesAreRefusedEarlyWithTheirHeadKept() throws Exception {
        open("");
        byte[] head = "{\"organization-name\":\"x".getBytes(StandardCharsets.UTF_8);
        try (Socket socket = socket()) {
            OutputStream out = socket.getOutputStream();
            ascii(out, "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
            out.write(head);
            out.write(new byte[128 * 1024]);
            out.flush();
            assertThat(answer(socket)).startsWith("HTTP/1.1 413").contains("\"reason\":\"too-large\"");
        }
        assertThat(door.rejected().getFirst().value()).startsWith(head).hasSize(64 * 1024);
        assertThat(door.count("tlsrpt.intake.refused", "reason", "too-large")).isEqualTo(1);
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aSenderWhoAsksFirstIsRefusedBeforeItSends() throws Exception {
        open("");
        try (Socket socket = socket()) {
            ascii(
                    socket.getOutputStream(),
                    "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\nExpect: 100-continue\r\n\r\n");
            assertThat(answer(socket)).startsWith("HTTP/1.1 413");
        }
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aChunkedBodyWithoutALengthIsCutAtTheSameLimit() throws Exception {
        open("intake: {max-body: 1MiB}\n");
        HttpRequest request = to("/v1/tlsrpt")
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[2_000_000])))
                .build();
        assertThat(send(request).statusCode()).isEqualTo(413);
        HttpRequest good = to("/v1/tlsrpt")
                .POST(HttpRequest.BodyPublishers.ofInputStream(
                        () -> new ByteArrayInputStream(SampleReports.report().gzip())))
                .build();
        assertThat(send(good).statusCode()).isEqualTo(201);
    }

    @Test
    void expectContinueIsAnsweredAndTheReportTaken() throws Exception {
        open("");
        HttpRequest request = to("/v1/tlsrpt")
                .expectContinue(true)
                .POST(HttpRequest.BodyPublishers.ofByteArray(
                        SampleReports.report().gzip()))
                .build();
        assertThat(send(request).statusCode()).isEqualTo(201);
    }

    @Test
    void aRequestWithoutABodyIsEmpty() throws Exception {
        open("");
        try (Socket socket = socket()) {
            ascii(socket.getOutputStream(), "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertThat(answer(socket)).startsWith("HTTP/1.1 400").contains("\"reason\":\"empty\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"})
    void otherMethodsAreToldThatReportsArePosted(String method) throws Exception {
        open("");
        for (String path : List.of("/v1/tlsrpt", "/v1/tlsrpt/abc")) {
            HttpRequest request =
                    to(path).method(method, HttpRequest.BodyPublishers.noBody()).build();
            HttpResponse<String> answer = send(request);
            assertThat(answer.statusCode()).isEqualTo(405);
            assertThat(answer.headers().firstValue("allow")).contains("POST");
        }
        assertTheNextGoodReportIsTaken();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/tlsrpt", "/v1/tlsrpt/", "/v1/tlsrpt?a=b", "/v1/tlsrpt/anything"})
    void noFormOfThePathIsEverRedirected(String path) throws Exception {
        open("");
        assertThat(post(path, SampleReports.report().gzip()).statusCode()).isEqualTo(201);
    }

    @Test
    void whereTokensAreSetOnlyTheirPathsAreKnownAndStandForTheirDomains() throws Exception {
        open("intake: {tokens: [{token: abcdefghijklmnop, channel-domain: example.com}, {token: ponmlkjihgfedcba}]}\n");
        byte[] report =
                SampleReports.report().policy("no-policy-found", null, 5, 0).gzip();

        assertThat(post("/v1/tlsrpt", report).statusCode()).isEqualTo(404);
        assertThat(post("/v1/tlsrpt/", report).statusCode()).isEqualTo(404);
        assertThat(post("/v1/tlsrpt/abcdefghijklmnoX", report).statusCode()).isEqualTo(404);
        assertThat(post("/v1/tlsrpt/abcdefghijklmnop/more", report).statusCode())
                .isEqualTo(404);
        assertThat(post("/v1/tlsrpt/abcdefghijklmnop", report).statusCode()).isEqualTo(201);
        assertThat(post("/v1/tlsrpt/abcdefghijklmnop/", report).statusCode()).isEqualTo(201);
        assertThat(post("/v1/tlsrpt/ponmlkjihgfedcba", report).statusCode()).isEqualTo(201);

        assertThat(door.raw().stream().map(record -> header(record, "channel-domain")))
                .containsExactly("example.com", "example.com", null);
        assertThat(door.count("tlsrpt.intake.turned.away", "why", "unknown-path"))
                .isEqualTo(4);
    }

    @Test
    void postsFromTrustedNetworksAreTheOperators() throws Exception {
        open("intake: {trusted-networks: ['127.0.0.0/8']}\n");
        post("/v1/tlsrpt", SampleReports.report().gzip());
        assertThat(header(door.raw().getFirst(), "authentication")).isEqualTo("operator");
    }

    @Test
    void aTraceIsPassedOnWhenItIsWellFormed() throws Exception {
        open("");
        String trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for (String given : List.of(trace, trace + "-x", "00-" + "0".repeat(32) + "-00f067aa0ba902b7-01")) {
            send(to("/v1/tlsrpt")
                    .header("traceparent", given)
                    .POST(HttpRequest.BodyPublishers.ofByteArray(
                            SampleReports.report().gzip()))
                    .build());
        }
        assertThat(door.raw().stream().map(record -> header(record, "traceparent")))
                .containsExactly(trace, null, null);
    }

    @Test
    void whileTheBrokerIsAwayReportsAreTakenUntilTheSpoolIsFull() throws Exception {
        open("intake: {spool-max-bytes: 4KiB}\n");
        door.brokerFails();
        HttpResponse<String> answer = post("/v1/tlsrpt", SampleReports.report().gzip());
        assertThat(answer.statusCode()).isEqualTo(201);
        for (int i = 0; answer.statusCode() == 201; i++) {
            answer = post("/v1/tlsrpt", SampleReports.report().id("r" + i).gzip());
            assertThat(i).isLessThan(20);
        }
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
    }

    @Test
    void aSenderWhoDripsIsToldSoAndCut() throws Exception {
        open("", Duration.ofMillis(500), ROOM);
        try (Socket socket = socket()) {
            OutputStream out = socket.getOutputStream();
            ascii(out, "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
            Thread drip = Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        out.write('{');
                        out.flush();
                        Thread.onSpinWait();
                    }
                } catch (IOException cut) {
                    assertThat(cut).isNotNull();
                }
            });
            assertThat(answerToASenderWhoSendsOn(socket)).startsWith("HTTP/1.1 408");
            drip.join();
        }
        assertThat(door.count("tlsrpt.intake.turned.away", "why", "slow")).isEqualTo(1);
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aBodyWhoseEndCannotBeKnownIsRefused() throws Exception {
        open("");
        String head = "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n";
        try (Socket socket = socket()) {
            ascii(socket.getOutputStream(), head + "\r\n5\r\nhello and more\r\n0\r\n\r\n");
            assertThat(answer(socket)).startsWith("HTTP/1.1 400").contains("\"reason\":\"malformed-body\"");
        }
        try (Socket socket = socket()) {
            ascii(socket.getOutputStream(), head + "Content-Length: 5\r\n\r\nhello");
            assertThat(answer(socket)).startsWith("HTTP/1.1 400").contains("\"reason\":\"bad-request\"");
        }
        assertThat(door.count("tlsrpt.intake.turned.away", "why", "malformed")).isEqualTo(1);
        assertThat(door.count("tlsrpt.http.refused", "why", "bad-request")).isEqualTo(1);
        assertTheNextGoodReportIsTaken();
    }

    @Test
    void aProxyThatSpeaksHttp10IsServed() throws Exception {
        open("");
        byte[] report = SampleReports.report().gzip();
        try (Socket socket = socket()) {
            OutputStream out = socket.getOutputStream();
            ascii(
                    out,
                    "POST /v1/tlsrpt HTTP/1.0\r\nHost: x\r\nConnection: close\r\nContent-Length: " + report.length
                            + "\r\n\r\n");
            out.write(report);
            assertThat(answer(socket)).startsWith("HTTP/1.1 201").endsWith("{\"report-key\":\"" + KEY + "\"}");
        }
        try (Socket socket = socket()) {
            ascii(socket.getOutputStream(), "POST /v1/tlsrpt HTTP/1.0\r\n\r\n");
            assertThat(answer(socket)).startsWith("HTTP/1.1 400").contains("\"reason\":\"empty\"");
        }
        assertThat(door.raw()).hasSize(1);
    }

    @Test
    void anAnswerThatEndsTheConnectionEndsItWhateverComesAfterwards() throws Exception {
        open("intake: {tokens: [{token: abcdefghijklmnop}]}\n");
        byte[] report = SampleReports.report().gzip();
        String hidden =
                "POST /v1/tlsrpt/abcdefghijklmnop HTTP/1.1\r\nHost: x\r\nContent-Length: " + report.length + "\r\n\r\n";
        for (String head : List.of(
                "POST /v1/tlsrpt/unknown HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n",
                "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n")) {
            try (Socket socket = socket()) {
                ascii(socket.getOutputStream(), head + hidden);
                socket.getOutputStream().write(report);
                socket.shutdownOutput();
                assertThat(answer(socket)).startsWith("HTTP/1.1 404").doesNotContain("201");
            }
        }
        assertThat(door.raw()).isEmpty();
    }

    @Test
    void aThousandSlowSendersDoNotKeepOutAGoodOne() throws Exception {
        open("", Duration.ofSeconds(30), 40L * 1024 * 1024);
        List<Socket> slow = new java.util.ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                Socket socket = socket();
                slow.add(socket);
                ascii(
                        socket.getOutputStream(),
                        switch (i % 3) {
                            case 0 -> "POST /v1/tlsrpt HT";
                            case 1 ->
                                "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
                                        + "{".repeat(5000);
                            default ->
                                "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n{";
                        });
            }
            for (int i = 0; i < 20; i++) {
                assertTheNextGoodReportIsTaken();
            }
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void aSenderWhoGoesAwayLeavesNothing() throws Exception {
        open("");
        try (Socket socket = socket()) {
            ascii(
                    socket.getOutputStream(),
                    "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"organization-name\":");
        }
        await().until(() -> door.count("tlsrpt.intake.turned.away", "why", "gone") == 1);
        assertThat(door.broker.history()).isEmpty();
        assertThat(door.count("tlsrpt.intake.received")).isZero();
    }

    @Test
    void bodiesThatTogetherTakeTooMuchMemoryAreToldToComeAgain() throws Exception {
        open("", Duration.ofSeconds(30), 3 * 64 * 1024);
        try (Socket holder = socket()) {
            ascii(holder.getOutputStream(), "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
            holder.getOutputStream().write(new byte[150_000]);
            holder.getOutputStream().flush();
            HttpResponse<String> answer = post("/v1/tlsrpt", new byte[300_000]);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("retry-after")).isPresent();
        }
        await().until(() -> post("/v1/tlsrpt", SampleReports.report().gzip()).statusCode() == 201);
    }

    @Test
    void manyAtATimeAreAllTaken() throws Exception {
        open("");
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new java.util.ArrayList<java.util.concurrent.Future<Integer>>();
            for (int i = 0; i < 500; i++) {
                byte[] bytes = SampleReports.report().id("r" + i).gzip();
                answers.add(threads.submit(() -> post("/v1/tlsrpt", bytes).statusCode()));
            }
            for (var answer : answers) {
                assertThat(answer.get()).isEqualTo(201);
            }
        }
        assertThat(door.raw()).hasSize(500);
        assertThat(door.gauge("tlsrpt.spool.entries")).isZero();
    }

    private void assertTheNextGoodReportIsTaken() throws Exception {
        assertThat(post("/v1/tlsrpt", SampleReports.report().gzip()).statusCode())
                .isEqualTo(201);
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }

    private HttpResponse<String> post(String path, byte[] body) throws Exception {
        return send(to(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build());
    }

    private HttpResponse<String> send(HttpRequest request) throws Exception {
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private Socket socket() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static void ascii(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    /// Its connection is reset in the end; the answer came before.
    private static String answerToASenderWhoSendsOn(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        InputStream in = socket.getInputStream();
        while (text.indexOf("}") < 0) {
            text.append((char) in.read());
        }
        return text.toString();
    }

    private static String answer(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
}
