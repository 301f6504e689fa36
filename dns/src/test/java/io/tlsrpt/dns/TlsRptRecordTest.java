package io.tlsrpt.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.tlsrpt.dns.TlsRptRecord.Published;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGeneratorFactory;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TlsRptRecordTest {

    private static final Pattern STRING = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"|/");

    @ParameterizedTest(name = "{0}")
    @MethodSource("witnesses")
    void everyWitnessIsJudgedAsTheTableSays(String id, List<byte[]> records, String expected) {
        assertThat(written(TlsRptRecord.of(records))).isEqualTo(expected);
    }

    @Test
    void extensionsAreKeptInOrder() {
        Published.Valid valid = (Published.Valid) read("v=TLSRPTv1;rua=mailto:a@b.example; x=1; y=2;");

        assertThat(valid.record().extensions())
                .containsExactly(new TlsRptRecord.Extension("x", "1"), new TlsRptRecord.Extension("y", "2"));
    }

    @Test
    void theNameIsThatOfTheDomainInALabels() {
        assertThat(TlsRptRecord.name("Bücher.Example.")).isEqualTo("_smtp._tls.xn--bcher-kva.example");
    }

    @Test
    void bytesOfAnyKindAreJudgedAndAFaultLiesInsideTheText() {
        long seed = 20261122;
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        String alphabet = "v=TLSRPTv1;rua=mailto:a@b.example,https://c/%21! \t\u0000\u00ff\"\\";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder("v=TLSRPTv1;rua=mailto:a@b.example");
            for (int change = random.nextInt(8); change >= 0; change--) {
                int at = random.nextInt(text.length());
                text.replace(
                        at, at + random.nextInt(2), String.valueOf(alphabet.charAt(random.nextInt(alphabet.length()))));
            }
            if (read(text.toString()) instanceof Published.Invalid invalid) {
                assertThat(invalid.at()).as(text + ", seed " + seed).isBetween(0, text.length());
            }
        }
    }

    private static Published read(String text) {
        return TlsRptRecord.of(List.of(text.getBytes(ISO_8859_1)));
    }

    private static String written(Published published) {
        return switch (published) {
            case Published.Valid valid ->
                "valid "
                        + valid.record().rua().stream()
                                .map(rua -> Objects.requireNonNullElse(rua.canonical(), "?"))
                                .collect(Collectors.joining(" "))
                        + valid.record().warnings().stream()
                                .map(warning -> " " + warning)
                                .collect(Collectors.joining());
            case Published.Invalid invalid ->
                "invalid " + invalid.why() + "^" + invalid.text().substring(invalid.at());
            case Published.None none -> "none " + none.why();
        };
    }

    static Stream<Arguments> witnesses() throws IOException {
        try (InputStream table = Objects.requireNonNull(TlsRptRecordTest.class.getResourceAsStream("records.tsv"))) {
            return new String(table.readAllBytes(), UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("\t"))
                    .map(row -> arguments(
                            row[0],
                            records(row[1]),
                            String.join(" ", List.of(row).subList(2, row.length))));
        }
    }

    private static List<byte[]> records(String zone) {
        List<StringBuilder> records = new ArrayList<>();
        boolean next = true;
        for (var part : STRING.matcher(zone).results().toList()) {
            if (part.group().equals("/")) {
                next = true;
                continue;
            }
            if (next) {
                records.add(new StringBuilder());
                next = false;
            }
            records.getLast().append(part.group(1).translateEscapes());
        }
        return records.stream()
                .map(text -> text.toString().getBytes(ISO_8859_1))
                .toList();
    }
}
