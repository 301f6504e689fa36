package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.helidon.http.RequestException;
import io.helidon.webserver.ServerConnectionException;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestFramingTest {

    private static final String HOST = "Host: x\r\n";

    /// Requests of every shape after one another, and what the server is shown of them.
    private static final String PIPELINE = "POST /a HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello"
            + "\r\nGET /b?q HTTP/1.1\r\n" + HOST + "\r\n"
            + "POST /c HTTP/1.1\r\n" + HOST
            + "Transfer-Encoding: Chunked\r\n\r\n"
            + "4;name=\"value\"\r\nwiki\r\n0005 ; x\r\npedia\r\nA\r\n0123456789\r\n00\r\nX-Trailer: y\r\n\r\n"
            + "PUT /d HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n\r\n"
            + "POST /e HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nend";
    private static final String SHOWN = "POST /a HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello"
            + "GET /b?q HTTP/1.1\r\n" + HOST + "\r\n"
            + "POST /c HTTP/1.1\r\n" + HOST + "Transfer-Encoding: Chunked\r\n\r\n<wikipedia0123456789>"
            + "PUT /d HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n\r\n"
            + "POST /e HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\nHost: none.invalid\r\n\r\nend";

    @Test
    void whateverThePiecesTheyCameInTheRequestsAreTheSame() {
        byte[] all = bytes(PIPELINE);
        for (int first = 0; first <= all.length; first++) {
            assertThat(unchunked(shown(Arrays.copyOfRange(all, 0, first), Arrays.copyOfRange(all, first, all.length))))
                    .as("cut at %d", first)
                    .isEqualTo(SHOWN);
        }
        byte[][] single = new byte[all.length][];
        for (int i = 0; i < all.length; i++) {
            single[i] = new byte[] {all[i]};
        }
        assertThat(unchunked(shown(single))).isEqualTo(SHOWN);
    }

    @Test
    void randomBodiesInRandomChunksAndPiecesArriveWhole() {
        long seed = System.nanoTime();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        for (int round = 0; round < 200; round++) {
            byte[] body = new byte[random.nextInt(1, 60_000)];
            random.nextBytes(body);
            ByteArrayOutputStream sent = new ByteArrayOutputStream();
            sent.writeBytes(bytes("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n"));
            for (int at = 0; at < body.length; ) {
                int length = Math.min(body.length - at, random.nextInt(1, 1 << random.nextInt(1, 17)));
                sent.writeBytes(bytes(Integer.toHexString(length) + "\r\n"));
                sent.write(body, at, length);
                sent.writeBytes(bytes("\r\n"));
                at += length;
            }
            sent.writeBytes(bytes("0\r\n\r\n"));
            List<byte[]> pieces = new ArrayList<>();
            byte[] all = sent.toByteArray();
            for (int at = 0; at < all.length; ) {
                int length = Math.min(all.length - at, random.nextInt(1, 30_000));
                pieces.add(Arrays.copyOfRange(all, at, at + length));
                at += length;
            }
            String shown = shown(pieces.toArray(byte[][]::new));
            assertThat(unchunked(shown))
                    .as("seed %d, round %d", seed, round)
                    .endsWith("\r\n\r\n<" + new String(body, StandardCharsets.ISO_8859_1) + ">");
        }
    }

    @Test
    void aChunkOfTwoGibibytesAndMoreIsPassedOnPieceByPiece() {
        long declared = 5L * 1024 * 1024 * 1024;
        byte[] piece = new byte[64 * 1024];
        Deque<byte[]> first = new ArrayDeque<>(List.of(bytes("POST / HTTP/1.1\r\n" + HOST
                + "Transfer-Encoding: chunked\r\n\r\n" + Long.toHexString(declared) + "\r\n")));
        long[] taken = {0};
        RequestFraming framing = new RequestFraming(
                () -> {
                    if (!first.isEmpty()) {
                        return first.remove();
                    }
                    taken[0] += piece.length;
                    return piece;
                },
                () -> 0);
        assertThat(framing.get()).asString().startsWith("POST / HTTP/1.1");
        long given = 0;
        for (int i = 0; i < 10_000; i++) {
            byte[] next = java.util.Objects.requireNonNull(framing.get());
            assertThat(next).hasSizeBetween(1, RequestFraming.MAX_CHUNK_BYTES + 16);
            given += next.length;
            assertThat(taken[0] - given).as("kept back").isLessThan(piece.length);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    GET / HTTP/1.1\\nHost: x\\n\\n                                                     | 400
                    GET / HTTP/1.1\\r\\nHost: x\\n\\r\\n                                              | 400
                    GET / HTTP/1.1\\r\\nHost: x\\rY: z\\r\\n\\r\\n                                    | 400
                    GET / HTTP/1.1\\r\\nHost : x\\r\\n\\r\\n                                          | 400
                    GET / HTTP/1.1\\r\\nA: b\\r\\n  folded\\r\\n\\r\\n                                | 400
                    GET / HTTP/1.1\\r\\nno colon\\r\\n\\r\\n                                          | 400
                    GET  / HTTP/1.1\\r\\n\\r\\n                                                       | 400
                    GET /\\r\\n\\r\\n                                                                 | 400
                    hello\\r\\n\\r\\n                                                                 | 400
                    \\0x16\\0x03\\0x01                                                                | 400
                    GET / HTTP/2.0\\r\\n\\r\\n                                                        | 505
                    PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n                                          | 505
                    POST / HTTP/1.1\\r\\nContent-Length: 1\\r\\nContent-Length: 1\\r\\n\\r\\n         | 400
                    POST / HTTP/1.1\\r\\nContent-Length: 1, 1\\r\\n\\r\\n                             | 400
                    POST / HTTP/1.1\\r\\nContent-Length: +1\\r\\n\\r\\n                               | 400
                    POST / HTTP/1.1\\r\\nContent-Length: -1\\r\\n\\r\\n                               | 400
                    POST / HTTP/1.1\\r\\nContent-Length: 9999999999999999999\\r\\n\\r\\n              | 400
                    POST / HTTP/1.1\\r\\nContent-Length:\\r\\n\\r\\n                                  | 400
                    POST / HTTP/1.1\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n | 400
                    POST / HTTP/1.0\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n                       | 400
                    POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n | 400
                    POST / HTTP/1.1\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n                 | 501
                    POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked, identity\\r\\n\\r\\n             | 501
                    POST / HTTP/1.1\\r\\nTransfer-Encoding: \\0x0bchunked\\r\\n\\r\\n                 | 400
                    GET / HTTP/1.1\\r\\nHo                                                            | 400
                    """)
    void aHeadThatTwoReadersCouldReadDifferentlyIsRefused(String request, int status) {
        RequestException refused = catchThrowableOfType(RequestException.class, () -> shown(bytes(escaped(request))));
        assertThat(refused.status().code()).isEqualTo(status);
        assertThat(refused.keepAlive()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x\r\n",
                "\r\n",
                "-1\r\n",
                "0x5\r\n",
                "1 1\r\n",
                " 5\r\n",
                "10000000000000000\r\n",
                "5\nhello",
                "5\r\nhelloX\n",
                "5\r\nhello\n0\r\n\r\n",
                "5\r\nhello!0\r\n\r\n",
                "5;a=\u0001\r\n",
                "0\r\nTrailer\n\r\n",
            })
    void aChunkThatIsNoneIsRefused(String chunks) {
        byte[] request = bytes("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n" + chunks);
        RequestException refused = catchThrowableOfType(RequestException.class, () -> shown(request));
        assertThat(refused.status().code()).isEqualTo(400);
    }

    @Test
    void whatIsTooLongIsRefusedBeforeItIsComplete() {
        String start = "POST / HTTP/1.1\r\n" + HOST;
        String chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
        assertThat(statusOfEndless("GET /", "a")).isEqualTo(414);
        assertThat(statusOfEndless(start + "X: ", "a")).isEqualTo(431);
        assertThat(statusOfEndless(start, "X: y\r\n")).isEqualTo(431);
        assertThat(statusOfEndless("", "\r\n")).isEqualTo(414);
        assertThat(statusOfEndless(chunked, "0")).isEqualTo(400);
        assertThat(statusOfEndless(chunked + "5;", "x")).isEqualTo(400);
        assertThat(statusOfEndless(chunked + "0\r\n", "X: y\r\n")).isEqualTo(431);
    }

    private static int statusOfEndless(String start, String more) {
        byte[] piece = bytes(more);
        Deque<byte[]> first = new ArrayDeque<>(List.of(bytes(start + more)));
        int[] pieces = {0};
        RequestFraming framing = new RequestFraming(
                () -> {
                    assertThat(++pieces[0]).isLessThan(20_000);
                    return first.isEmpty() ? piece : first.remove();
                },
                () -> 0);
        RequestException refused = catchThrowableOfType(RequestException.class, () -> {
            while (true) {
                assertThat(framing.get()).isNotNull();
            }
        });
        return refused.status().code();
    }

    @Test
    void afterARefusalNothingMoreIsShown() {
        RequestFraming framing = framing(bytes("GET /\r\n\r\nGET / HTTP/1.1\r\n" + HOST + "\r\n"));
        assertThatThrownBy(framing::get).isInstanceOf(RequestException.class);
        assertThat(framing.get()).isNull();
        assertThat(framing.unread()).isTrue();
    }

    @Test
    void afterARequestThatAsksToCloseNothingMoreIsShown() {
        String next = "GET /next HTTP/1.1\r\n" + HOST + "\r\n";
        assertThat(shown(bytes("GET / HTTP/1.1\r\nConnection: Foo, Close\r\n\r\n" + next)))
                .doesNotContain("next");
        assertThat(shown(bytes("GET / HTTP/1.0\r\n\r\n" + next))).doesNotContain("next");
    }

    @Test
    void aHeadThatTricklesIsCutThoughEachByteComesInTime() {
        assertThat(seconds("GET / HTTP/1.1\r\nX: " + "y".repeat(1000), Duration.ofSeconds(10), 1))
                .isBetween(20L, 30L);
    }

    @Test
    void aBodyMayTakeItsTimeButNotTrickle() {
        String head = "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 1000000\r\n\r\n";
        assertThat(seconds(head + "y".repeat(1000), Duration.ofSeconds(10), 1)).isBetween(20L, 30L);
        // 2 KiB each second is no trickle: all of it arrives
        assertThat(seconds(head + "y".repeat(1_000_000), Duration.ofSeconds(1), 2048))
                .isGreaterThan(480);
    }

    /// How long a sender of so many bytes per step is listened to, from its first byte on.
    private static long seconds(String text, Duration step, int bytesPerStep) {
        byte[] all = bytes(text);
        long[] now = {0};
        int[] at = {0};
        RequestFraming framing = new RequestFraming(
                () -> {
                    if (at[0] == all.length) {
                        return null;
                    }
                    now[0] += at[0] == 0 ? Duration.ofHours(1).toNanos() : step.toNanos();
                    int from = at[0];
                    at[0] = Math.min(all.length, from + bytesPerStep);
                    return Arrays.copyOfRange(all, from, at[0]);
                },
                () -> now[0]);
        try {
            while (framing.get() != null) {
                // reading on
            }
        } catch (RequestException slow) {
            assertThat(slow.status().code()).isEqualTo(408);
        }
        return Duration.ofNanos(now[0]).minusHours(1).toSeconds();
    }

    @Test
    void whoStopsWithinARequestIsToldAndWhoStopsBetweenRequestsIsWaitedFor() {
        ServerConnectionException timeout =
                new ServerConnectionException("x", new UncheckedIOException(new SocketTimeoutException("read")));
        String request = "GET / HTTP/1.1\r\n" + HOST + "\r\n";
        RequestException within = catchThrowableOfType(
                RequestException.class, () -> drained(new RequestFraming(pieces("GET / HT", timeout), () -> 0)));
        assertThat(within.status().code()).isEqualTo(408);
        assertThat(drained(new RequestFraming(
                        pieces(timeout, request, timeout, timeout, "\r\n", timeout, request, timeout), () -> 0)))
                .isEqualTo(request + request);
    }

    @Test
    void aBrokenConnectionStaysABrokenConnection() {
        ServerConnectionException reset =
                new ServerConnectionException("x", new UncheckedIOException(new SocketException("reset")));
        RequestFraming framing = new RequestFraming(pieces("GET / HT", reset), () -> 0);
        assertThatThrownBy(framing::get).isSameAs(reset);
        assertThat(framing.unread()).isFalse();
    }

    /// Texts arrive, exceptions are thrown, then it ends.
    private static Supplier<byte @Nullable []> pieces(Object... pieces) {
        Deque<Object> left = new ArrayDeque<>(List.of(pieces));
        return () -> {
            Object next = left.poll();
            if (next instanceof RuntimeException broken) {
                throw broken;
            }
            return next == null ? null : bytes(next.toString());
        };
    }

    private static RequestFraming framing(byte[]... blocks) {
        Deque<byte[]> left = new ArrayDeque<>();
        for (byte[] block : blocks) {
            if (block.length > 0) {
                left.add(block);
            }
        }
        return new RequestFraming(left::poll, () -> 0);
    }

    private static String shown(byte[]... blocks) {
        return drained(framing(blocks));
    }

    private static String drained(RequestFraming framing) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] next = framing.get(); next != null; next = framing.get()) {
            assertThat(next).isNotEmpty();
            all.writeBytes(next);
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    /// Replaces the chunked body by its content in angle brackets.
    private static String unchunked(String shown) {
        String head = "chunked\r\n\r\n";
        int start = shown.toLowerCase(java.util.Locale.ROOT).indexOf(head);
        if (start < 0) {
            return shown;
        }
        int at = start + head.length();
        StringBuilder out = new StringBuilder(shown.substring(0, at)).append('<');
        while (true) {
            int eol = shown.indexOf("\r\n", at);
            int size = Integer.parseInt(shown.substring(at, eol), 16);
            assertThat(size).isLessThanOrEqualTo(RequestFraming.MAX_CHUNK_BYTES);
            at = eol + 2;
            out.append(shown, at, at + size);
            assertThat(shown.substring(at + size, at + size + 2)).isEqualTo("\r\n");
            at += size + 2;
            if (size == 0) {
                return out.append('>').append(shown.substring(at)).toString();
            }
        }
    }

    private static String escaped(String text) {
        return text.replace("\\0x16", "\u0016")
                .replace("\\0x03", "\u0003")
                .replace("\\0x01", "\u0001")
                .replace("\\0x0b", "\u000b")
                .replace("\\r", "\r")
                .replace("\\n", "\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
