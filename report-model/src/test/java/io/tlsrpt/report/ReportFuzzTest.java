package io.tlsrpt.report;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided with `JAZZER_FUZZ=1`; otherwise it runs over the witness files.
class ReportFuzzTest {

    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);

    static Stream<byte[]> documents() {
        return WitnessFiles.names().stream().map(WitnessFiles::bytes);
    }

    @MethodSource("documents")
    @FuzzTest(maxDuration = "60s")
    void readingIsTotal(byte[] bytes) {
        if (Inflation.of(bytes, 1024 * 1024) instanceof Inflation.Inflated inflated) {
            ReadingMutationTest.holds(reader.read(inflated.document()));
        }
    }
}
