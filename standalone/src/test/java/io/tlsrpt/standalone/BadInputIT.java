package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever comes in at the HTTP doors of one and the same running house: each has its answer and its counter, and the
/// next good report is taken and counted.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // started before all
class BadInputIT {

    private static final int MIB = 1024 * 1024;
    private static final long HEAP_GROWTH = 96L * MIB;
    private static final String POST = "POST /v1/tlsrpt HTTP/1.1\r\nHost: x\r\n";
    private static final String IMPORT = "POST /api/v1/import?name=a.zip HTTP/1.1\r\nHost: 127.0.0.1\r\n";

    private final HttpClient http = HttpClient.newHttpClient();
    private final LocalDate yesterday = LocalDate.now(Clock.systemUTC()).minusDays(1);
    private House house;
    private int good;

    @BeforeAll
    void start(@TempDir Path directory) {
        house = House.start(directory);
    }

    @AfterAll
    void stop() {
        http.close();
        house.close();
    }

    /// What a sender does.
    interface Sender {
        String answer(Socket socket) throws Exception;
    }

    /// @param reason in the answer; empty when it is none
    /// @param counter words that its line in the metrics has
    record Row(String name, int status, String reason, List<String> counter, Sender sender) {
        @Override
        public String toString() {
            return name;
        }
    }

    Stream<Row> rows() throws IOException {
        byte[] report = SampleReports.report().day(yesterday).bytes();
        byte[] zeros = new byte[MIB];
        byte[] bomb = gzip(1024, i -> zeros);
        byte[] deep = bytes("[".repeat(10_000) + "]".repeat(10_000));
        byte[] noUtf8 = {(byte) 0xff, (byte) 0xfe, (byte) 0xfd, '{', '}', (byte) 0xc3};
        byte[] year9999 = SampleReports.report()
                .range("9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z")
                .gzip();
        String text = "x".repeat(64 * 1024);
        byte[] long64KiB = bytes(detail(text) + ",");
        return Stream.of(
                refused("1 GB gzip bomb, streamed", 413, "too-large", chunked(new ByteArrayInputStream(bomb))),
                refused("100 MB with its length", 413, "too-large", sized(100 * MIB, endless())),
                refused("100 MB without its length", 413, "too-large", chunked(limited(100))),
                refused(
                        "one chunk of 2 GiB",
                        413,
                        "too-large",
                        bare(POST + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", limited(100))),
                refused("10,000 levels", 400, "too-deep", whole(deep)),
                refused(
                        "1,000,000 empty failure-details",
                        413,
                        "too-many-details",
                        whole(gzip(
                                1002,
                                i -> i == 0 ? opening() : i == 1001 ? closing("{}") : bytes("{},".repeat(1000))))),
                refused(
                        "1,000,000 failure-details",
                        413,
                        "too-large",
                        whole(gzip(
                                1002,
                                i -> i == 0
                                        ? opening()
                                        : i == 1001 ? closing("{}") : bytes("{\"result-type\":\"a\"},".repeat(1000))))),
                refused(
                        "64 KiB strings, 1 GB of details",
                        413,
                        "too-large",
                        whole(gzip(3002, i -> i == 0 ? opening() : i == 3001 ? closing("{}") : long64KiB))),
                new Row(
                        "64 KiB strings up to the limit",
                        201,
                        "",
                        List.of("tlsrpt_intake_accepted_total", "https"),
                        whole(gzip(22, i -> i == 0 ? opening() : i == 21 ? closing("{}") : long64KiB))),
                new Row(
                        "50,000 details of all fields",
                        201,
                        "",
                        List.of("tlsrpt_intake_accepted_total", "https"),
                        whole(gzip(
                                50_002,
                                i -> i == 0 ? opening() : i == 50_001 ? closing("{}") : bytes(detail("x") + ",")))),
                refused("invalid UTF-8", 400, "not-json", whole(noUtf8)),
                refused("year 9999", 400, "implausible-date-range", whole(year9999)),
                refused("empty", 400, "empty", whole(new byte[0])),
                refused("no body at all", 400, "empty", bare(POST + "Connection: close\r\n\r\n", nothing())),
                refused(
                        "truncated gzip",
                        400,
                        "truncated",
                        whole(Arrays.copyOf(SampleReports.report().gzip(), 60))),
                turnedAway(
                        "a body that stops",
                        408,
                        "too-slow",
                        "slow",
                        bare(POST + "Content-Length: 1000\r\n\r\n{\"organization-name\":", nothing())),
                turnedAway(
                        "wrong method",
                        405,
                        "method-not-allowed",
                        "method",
                        bare("DELETE /v1/tlsrpt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", nothing())),
                turnedAway(
                        "a broken chunk",
                        400,
                        "malformed-body",
                        "malformed",
                        bare(POST + "Transfer-Encoding: chunked\r\n\r\nnone\r\n", nothing())),
                byTheServer("a head that stops", 408, "request-timeout", "POST /v1/tlsrpt HT"),
                byTheServer("no HTTP", 400, "bad-request", "\u0016\u0003\u0001\u0002\u0000\u0001"),
                byTheServer("a mail", 400, "bad-request", "HELO example.com\r\n\r\n"),
                byTheServer(
                        "a head of 20 KiB",
                        431,
                        "request-header-fields-too-large",
                        POST + "X: " + "y".repeat(20_000) + "\r\n\r\n"),
                byTheServer(
                        "two lengths",
                        400,
                        "bad-request",
                        POST + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
                byTheServer(
                        "unknown path",
                        404,
                        "not-found",
                        "GET /v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                new Row(
                        "a proxy that speaks HTTP/1.0",
                        201,
                        "",
                        List.of("tlsrpt_intake_accepted_total", "https"),
                        bare(
                                "POST /v1/tlsrpt HTTP/1.0\r\nContent-Length: " + report.length + "\r\n\r\n",
                                new ByteArrayInputStream(report))),
                new Row(
                        "zip bombs in a zip",
                        200,
                        "broken-archive",
                        List.of("tlsrpt_import_not_read_total", "broken-archive"),
                        imported(zip(
                                3, i -> "bomb" + i + ".zip", i -> zip(1, j -> "a.json", j -> new byte[512 * MIB])))),
                new Row(
                        "100,001 entries",
                        200,
                        "broken-archive",
                        List.of("tlsrpt_import_not_read_total", "broken-archive"),
                        imported(zip(100_001, i -> i + ".txt", i -> new byte[0]))),
                new Row(
                        "half a zip",
                        200,
                        "broken-archive",
                        List.of("tlsrpt_import_not_read_total", "broken-archive"),
                        imported(half(zip(1, i -> "a.json", i -> report)))),
                new Row(
                        "names that lead out of the directory",
                        200,
                        "",
                        List.of("tlsrpt_intake_accepted_total", "file"),
                        imported(zip(2, i -> "../".repeat(8 * i) + "tmp/bad-input-it.json", i -> report))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void badInputHasItsAnswerAndTheNextGoodReportIsTaken(Row row) throws Exception {
        double before = metric(row.counter());
        long heap = usedHeap();

        String answer;
        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(),
                house.standalone().intakeAddress().port())) {
            socket.setSoTimeout(60_000);
            answer = row.sender().answer(socket);
        }

        assertThat(answer).startsWith("HTTP/1.1 " + row.status() + " ");
        if (!row.reason().isEmpty()) {
            assertThat(answer).contains("\"reason\":\"" + row.reason() + "\"");
        }
        if (row.status() >= 400) {
            assertThat(answer.toLowerCase(Locale.ROOT)).contains("content-type: application/problem+json");
            assertThat(answer).contains("\"status\":" + row.status());
        }
        assertThat(metric(row.counter())).isGreaterThan(before);
        assertThat(usedHeap() - heap).isLessThan(HEAP_GROWTH);
        assertThat(get("/ready").statusCode()).isEqualTo(200);
        theNextGoodReportIsTakenAndCounted();
    }

    private void theNextGoodReportIsTakenAndCounted() {
        good++;
        byte[] report = SampleReports.report()
                .id("good-" + good)
                .day(yesterday)
                .policy("sts", "good.example", 100, 0)
                .gzip();
        assertThat(house.post(report).statusCode()).isEqualTo(201);
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(house.get("/api/v1/domains/good.example/aggregates?from=" + yesterday
                                        + "&to=" + yesterday)
                                .path("rows")
                                .path(0)
                                .path("total-successful-session-count")
                                .asLong())
                        .isEqualTo(100L * good));
    }

    private HttpResponse<String> get(String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(House.uri(house.standalone().adminAddress(), path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private double metric(List<String> words) {
        return house.metrics()
                .lines()
                .filter(line -> !line.startsWith("#") && words.stream().allMatch(line::contains))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private static long usedHeap() {
        var memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }

    private static Row refused(String name, int status, String reason, Sender sender) {
        return new Row(
                name, status, reason, List.of("tlsrpt_intake_refused_total", "\"" + reason + "\"", "https"), sender);
    }

    private static Row turnedAway(String name, int status, String reason, String why, Sender sender) {
        return new Row(name, status, reason, List.of("tlsrpt_intake_turned_away_total", "\"" + why + "\""), sender);
    }

    private static Row byTheServer(String name, int status, String reason, String request) {
        return new Row(
                name,
                status,
                reason,
                List.of("tlsrpt_http_refused_total", "\"" + reason + "\""),
                bare(request, nothing()));
    }

    private static Sender whole(byte[] body) {
        return bare(
                POST + "Connection: close\r\nContent-Length: " + body.length + "\r\n\r\n",
                new ByteArrayInputStream(body));
    }

    private static Sender sized(long length, InputStream body) {
        return bare(POST + "Content-Length: " + length + "\r\n\r\n", body);
    }

    private static Sender imported(byte[] body) {
        return bare(
                IMPORT + "Connection: close\r\nContent-Length: " + body.length + "\r\n\r\n",
                new ByteArrayInputStream(body));
    }

    /// In chunks of 8 KiB.
    @SuppressWarnings("JdkObsolete") // SequenceInputStream asks for an Enumeration
    private static Sender chunked(InputStream body) {
        return bare(
                POST + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
                new SequenceInputStream(new Enumeration<>() {
                    private boolean ended;

                    @Override
                    public boolean hasMoreElements() {
                        return !ended;
                    }

                    @Override
                    public InputStream nextElement() {
                        try {
                            byte[] data = body.readNBytes(8192);
                            ended = data.length == 0;
                            ByteArrayOutputStream chunk = new ByteArrayOutputStream();
                            chunk.writeBytes(bytes(Integer.toHexString(data.length) + "\r\n"));
                            chunk.writeBytes(data);
                            chunk.writeBytes(bytes("\r\n"));
                            return new ByteArrayInputStream(chunk.toByteArray());
                        } catch (IOException never) {
                            throw new UncheckedIOException(never);
                        }
                    }
                }));
    }

    /// Sends until all is sent or nobody takes it, and reads until the answer ends.
    private static Sender bare(String head, InputStream body) {
        return socket -> {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    OutputStream out = socket.getOutputStream();
                    out.write(head.getBytes(StandardCharsets.ISO_8859_1));
                    body.transferTo(out);
                } catch (IOException refused) {
                    assertThat(socket.isConnected()).isTrue(); // the answer tells why
                }
            });
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            try {
                socket.getInputStream().transferTo(answer);
            } catch (SocketException reset) {
                assertThat(answer.size()).isPositive(); // who sends on after the answer is cut in the end
            }
            socket.close();
            writer.join();
            return answer.toString(StandardCharsets.UTF_8);
        };
    }

    private static InputStream nothing() {
        return InputStream.nullInputStream();
    }

    private static InputStream endless() {
        return limited(Integer.MAX_VALUE);
    }

    private static InputStream limited(int mib) {
        byte[] one = new byte[MIB];
        return new SequenceInputStream(Collections.enumeration(Stream.generate(() -> new ByteArrayInputStream(one))
                .limit(Math.min(mib, 100))
                .toList()));
    }

    private static byte[] gzip(int pieces, IntFunction<byte[]> piece) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out, 64 * 1024)) {
            for (int i = 0; i < pieces; i++) {
                gzip.write(piece.apply(i));
            }
        }
        return out.toByteArray();
    }

    private static byte[] zip(int entries, IntFunction<String> name, IntFunction<byte[]> content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (int i = 0; i < entries; i++) {
                zip.putNextEntry(new ZipEntry(name.apply(i)));
                zip.write(content.apply(i));
                zip.closeEntry();
            }
        } catch (IOException never) {
            throw new UncheckedIOException(never);
        }
        return out.toByteArray();
    }

    private static byte[] half(byte[] bytes) {
        return Arrays.copyOf(bytes, bytes.length / 2);
    }

    private byte[] opening() {
        return bytes(
                "{\"organization-name\":\"x\",\"report-id\":\"many\",\"date-range\":{\"start-datetime\":\"" + yesterday
                        + "T00:00:00Z\",\"end-datetime\":\"" + yesterday
                        + "T23:59:59Z\"},\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"example.com\"},"
                        + "\"summary\":{\"total-successful-session-count\":1,\"total-failure-session-count\":1},"
                        + "\"failure-details\":[");
    }

    private static byte[] closing(String lastDetail) {
        return bytes(lastDetail + "]}]}");
    }

    private static String detail(String text) {
        return ("{\"result-type\":\"#\",\"sending-mta-ip\":\"#\",\"receiving-mx-hostname\":\"#\",\"receiving-mx-helo\":\"#\","
                        + "\"receiving-ip\":\"#\",\"failure-reason-code\":\"#\",\"additional-information\":\"#\"}")
                .replace("#", text);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
