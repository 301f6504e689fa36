package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/// Thousands of broken documents: reading is total, and what it makes of them stays within its promises.
/// `-Dtlsrpt.seed=N` repeats a run.
class ReadingMutationTest {

    private static final int ROUNDS = 40_000;
    private static final List<byte[]> PIECES = List.of(
            bytes("{"),
            bytes("}"),
            bytes("["),
            bytes("]"),
            bytes(","),
            bytes(":"),
            bytes("\""),
            bytes("null"),
            bytes("-1"),
            bytes("1e400"),
            bytes("9007199254740993"),
            bytes("\\ud800"),
            bytes("\\u0000"),
            bytes("true"),
            bytes("\"policy-domain\":\"xn--\","),
            bytes("\"mx-host\":[[]],"),
            bytes("\"a@[::1]\""),
            bytes("[[[[[[[["),
            bytes("\"start-datetime\":-1e18,"),
            bytes("\"2026-02-31T24:60:60+99:99\""),
            new byte[] {0},
            new byte[] {(byte) 0xff},
            new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
            new byte[] {(byte) 0xf4});

    private final long seed = Long.getLong("tlsrpt.seed", System.nanoTime());
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    private final ReportReader reader = new ReportReader(new ReportReader.Limits(32, 50, 50, 1_000));

    @Test
    void everyBrokenDocumentIsJudged() {
        List<byte[]> witnesses = new ArrayList<>();
        WitnessFiles.names().forEach(name -> witnesses.add(WitnessFiles.bytes(name)));
        int read = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] document = mutated(witnesses.get(random.nextInt(witnesses.size())));
            try {
                read += holds(reader.read(document)) ? 1 : 0;
            } catch (RuntimeException | AssertionError fault) {
                throw new AssertionError(
                        "seed " + seed + ", round " + round + ", document "
                                + HexFormat.of().formatHex(document),
                        fault);
            }
        }
        assertThat(read).as("documents still readable, seed %d", seed).isBetween(ROUNDS / 100, ROUNDS * 9 / 10);
    }

    @Test
    void everyBrokenGzipIsJudged() {
        byte[] gzip = SampleReports.report().gzip();
        byte[] twice = Arrays.copyOf(gzip, gzip.length * 2);
        System.arraycopy(gzip, 0, twice, gzip.length, gzip.length);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = mutated(random.nextBoolean() ? gzip : twice);
            try {
                switch (Inflation.of(bytes, 4_096)) {
                    case Inflation.Inflated inflated ->
                        assertThat(inflated.document()).hasSizeLessThanOrEqualTo(4_096);
                    case Inflation.Refused refused -> assertThat(refused.head()).hasSizeLessThanOrEqualTo(4_096);
                }
            } catch (RuntimeException | AssertionError fault) {
                throw new AssertionError(
                        "seed " + seed + ", round " + round + ", bytes "
                                + HexFormat.of().formatHex(bytes),
                        fault);
            }
        }
    }

    static boolean holds(Reading reading) {
        switch (reading) {
            case Reading.Read read -> {
                TlsReport report = read.report();
                assertThat(report.submitter()).isNotBlank();
                assertThat(report.reportId()).isNotBlank();
                assertThat(ReportKey.of(report, null)).matches("[!-~]{1,1100}");
                assertThat(ContentDigest.sha256(report)).hasSize(64);
                for (PolicyResult entry : report.policies()) {
                    assertThat(entry.totalSuccessfulSessionCount()).isBetween(0L, (1L << 53) - 1);
                    assertThat(entry.totalFailureSessionCount()).isBetween(0L, (1L << 53) - 1);
                    entry.failureDetails()
                            .forEach(detail ->
                                    assertThat(detail.failedSessionCount()).isBetween(0L, (1L << 53) - 1));
                    assertThat(entry.policy().policyType()).isNotBlank();
                }
                return true;
            }
            case Reading.Unreadable unreadable -> {
                assertThat(unreadable.detail()).isNotBlank().hasSizeLessThanOrEqualTo(500);
                return false;
            }
        }
    }

    private byte[] mutated(byte[] original) {
        byte[] bytes = original.clone();
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            int at = random.nextInt(bytes.length);
            int length = random.nextInt(Math.min(40, bytes.length - at) + 1);
            bytes = switch (random.nextInt(5)) {
                case 0 -> flipped(bytes, at);
                case 1 -> replaced(bytes, at, length, new byte[0]);
                case 2 -> replaced(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + length));
                case 3 -> replaced(bytes, at, random.nextInt(2), PIECES.get(random.nextInt(PIECES.size())));
                default -> random.nextInt(8) == 0 ? Arrays.copyOf(bytes, at + 1) : flipped(bytes, at);
            };
            if (bytes.length == 0) {
                return bytes;
            }
        }
        return bytes;
    }

    private byte[] flipped(byte[] bytes, int at) {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        return bytes;
    }

    private static byte[] replaced(byte[] bytes, int at, int length, byte[] by) {
        int rest = Math.min(bytes.length, at + length);
        byte[] out = new byte[at + by.length + bytes.length - rest];
        System.arraycopy(bytes, 0, out, 0, at);
        System.arraycopy(by, 0, out, at, by.length);
        System.arraycopy(bytes, rest, out, at + by.length, bytes.length - rest);
        return out;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
