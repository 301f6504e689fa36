package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FindingCodeTest {

    @ParameterizedTest
    @EnumSource
    void everyCodeStandsInTheDocumentWithItsFix(FindingCode code) throws IOException {
        String document = Files.readString(Path.of("..", "docs", "inspection.md"));
        assertThat(document.lines()
                        .filter(line -> line.startsWith("| `" + code.code() + "` |"))
                        .toList())
                .singleElement()
                .asString()
                .contains("| " + Objects.requireNonNullElse(code.reference(), "–") + " |")
                .endsWith("| "
                        + Objects.requireNonNullElse(code.fix(), "–")
                                .replace("<domain>", "DOMAIN")
                                .replace("<1 to 32 letters and digits>", "1 to 32 letters and digits")
                        + " |");
    }
}
