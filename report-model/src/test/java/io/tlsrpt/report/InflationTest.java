package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class InflationTest {

    private static final int LIMIT = 10 * 1024 * 1024;
    private static final byte[] DOCUMENT = SampleReports.report().bytes();

    @Test
    void whatIsNoGzipStaysAsItIs() {
        assertInflated(Inflation.of(DOCUMENT, LIMIT), DOCUMENT);
        assertInflated(Inflation.of(new byte[0], LIMIT), new byte[0]);
        assertInflated(Inflation.of(new byte[] {0x1f}, LIMIT), new byte[] {0x1f});
    }

    @Test
    void gzipIsUnwrapped() {
        assertInflated(Inflation.of(gzip(DOCUMENT), LIMIT), DOCUMENT);
        assertInflated(Inflation.of(gzip(new byte[0]), LIMIT), new byte[0]);
    }

    @Test
    void contentThatCompressesFarBetterThanUsualIsUnwrappedWhole() {
        byte[] blanks = new byte[3_000_000];
        Arrays.fill(blanks, (byte) ' ');

        assertInflated(Inflation.of(gzip(blanks), LIMIT), blanks);
    }

    @Test
    void contentThatDoesNotCompressIsUnwrappedWhole() {
        byte[] noise = new byte[300_000];
        RandomGenerator.of("L64X128MixRandom").nextBytes(noise);
        noise[0] = '{';

        assertInflated(Inflation.of(gzip(noise), LIMIT), noise);
    }

    @Test
    void concatenatedMembersAreOneStream() {
        byte[] half = Arrays.copyOf(DOCUMENT, 100);
        byte[] rest = Arrays.copyOfRange(DOCUMENT, 100, DOCUMENT.length);

        assertInflated(Inflation.of(join(gzip(half), gzip(new byte[0]), gzip(rest)), LIMIT), DOCUMENT);
    }

    @Test
    void namesAndOtherHeaderFieldsAreIgnored() {
        byte[] plain = gzip(DOCUMENT);
        byte[] head = Arrays.copyOf(plain, 10);
        head[3] = 4 | 8 | 16 | 2;
        byte[] fields = join(
                new byte[] {3, 0, 1, 2, 3},
                "../../etc/passwd\0".getBytes(StandardCharsets.US_ASCII),
                "note\0".getBytes(StandardCharsets.US_ASCII),
                new byte[] {0, 0});

        assertInflated(Inflation.of(join(head, fields, Arrays.copyOfRange(plain, 10, plain.length)), LIMIT), DOCUMENT);
    }

    @Test
    void bytesAfterTheLastMemberAreTolerated() {
        assertInflated(
                Inflation.of(join(gzip(DOCUMENT), new byte[] {0, 0, 0}), LIMIT),
                DOCUMENT,
                Leniency.GZIP_TRAILING_BYTES);
        assertInflated(Inflation.of(join(gzip(DOCUMENT), DOCUMENT), LIMIT), DOCUMENT, Leniency.GZIP_TRAILING_BYTES);
        assertInflated(
                Inflation.of(join(gzip(DOCUMENT), new byte[] {0x1f}), LIMIT), DOCUMENT, Leniency.GZIP_TRAILING_BYTES);
    }

    @Test
    void twoLayersAreUnwrappedAndThreeAreNot() {
        assertInflated(Inflation.of(gzip(gzip(DOCUMENT)), LIMIT), DOCUMENT, Leniency.GZIP_TWICE);
        assertRefused(Inflation.of(gzip(gzip(gzip(DOCUMENT))), LIMIT), RefusalReason.TOO_DEEP);
    }

    @Test
    void everyPrefixIsTruncated() {
        byte[] whole = join(gzip(DOCUMENT), gzip(DOCUMENT));
        int secondStart = gzip(DOCUMENT).length;

        for (int length = 2; length < whole.length; length++) {
            Inflation inflation = Inflation.of(Arrays.copyOf(whole, length), LIMIT);
            if (length == secondStart || length == secondStart + 1) {
                assertThat(inflation).isInstanceOf(Inflation.Inflated.class);
            } else {
                assertRefused(inflation, RefusalReason.TRUNCATED);
            }
        }
    }

    @Test
    void aWrongCheckSumIsDamage() {
        byte[] gzip = gzip(DOCUMENT);
        gzip[gzip.length - 5] ^= 1;
        assertRefused(Inflation.of(gzip, LIMIT), RefusalReason.NOT_JSON);

        byte[] block = gzip(DOCUMENT);
        block[10] = (byte) 0xff;
        assertRefused(Inflation.of(block, LIMIT), RefusalReason.NOT_JSON);
    }

    @Test
    void theLimitHoldsToTheByteAndOverAllLayers() {
        int inner = gzip(DOCUMENT).length;

        assertInflated(Inflation.of(gzip(DOCUMENT), DOCUMENT.length), DOCUMENT);
        assertRefused(Inflation.of(gzip(DOCUMENT), DOCUMENT.length - 1), RefusalReason.TOO_LARGE);
        assertRefused(Inflation.of(DOCUMENT, DOCUMENT.length - 1), RefusalReason.TOO_LARGE);
        assertThat(Inflation.of(gzip(gzip(DOCUMENT)), DOCUMENT.length + inner)).isInstanceOf(Inflation.Inflated.class);
        assertRefused(Inflation.of(gzip(gzip(DOCUMENT)), DOCUMENT.length + inner - 1), RefusalReason.TOO_LARGE);
    }

    @Test
    void theHeadOfABombIsKept() {
        byte[] zeros = new byte[LIMIT];
        Arrays.fill(zeros, (byte) '{');
        byte[] bomb = gzip(join(zeros, zeros));

        assertThat(Inflation.of(bomb, LIMIT)).isInstanceOfSatisfying(Inflation.Refused.class, refused -> {
            assertThat(refused.reason()).isEqualTo(RefusalReason.TOO_LARGE);
            assertThat(refused.head()).hasSizeBetween(1_000, 64 * 1024).containsOnly('{');
        });
        assertThat(Inflation.of(new byte[LIMIT + 1], LIMIT))
                .isInstanceOfSatisfying(
                        Inflation.Refused.class,
                        refused -> assertThat(refused.head()).hasSize(64 * 1024));
    }

    @Test
    void aGigabyteOfZerosIsRefusedWithoutTakingTheMemory() {
        byte[] bytes = gigabyteBomb();
        long before = allocated();

        assertRefused(Inflation.of(bytes, LIMIT), RefusalReason.TOO_LARGE);

        assertThat(allocated() - before).isLessThan(1024 * 1024);
    }

    private static byte[] gigabyteBomb() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] chunk = new byte[1024 * 1024];
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            for (int megabyte = 0; megabyte < 1_024; megabyte++) {
                gzip.write(chunk);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    private static void assertInflated(Inflation inflation, byte[] document, Leniency... leniencies) {
        assertThat(inflation).isInstanceOfSatisfying(Inflation.Inflated.class, inflated -> {
            assertThat(inflated.document()).isEqualTo(document);
            assertThat(inflated.leniencies()).containsExactlyInAnyOrder(leniencies);
        });
    }

    private static void assertRefused(Inflation inflation, RefusalReason reason) {
        assertThat(inflation)
                .isInstanceOfSatisfying(
                        Inflation.Refused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(reason));
    }

    private static byte[] gzip(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
