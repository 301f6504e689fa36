package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TerminalTest {

    @ParameterizedTest
    @CsvSource({
        "0007,\\u0007",
        "001b,\\u001b",
        "009b,\\u009b",
        "000a,\\u000a",
        "0000,\\u0000",
        "202e,\\u202e",
        "2066,\\u2066",
        "200b,\\u200b",
        "2028,\\u2028",
        "feff,\\ufeff",
        "d800,\\ud800",
        "e0041,\\ue0041",
        "e000,\\ue000"
    })
    void whatCouldDeceiveATerminalIsWrittenOut(String codePoint, String shown) {
        String hostile = "a" + Character.toString(Integer.parseInt(codePoint, 16)) + "b";

        assertThat(Terminal.shown(hostile)).isEqualTo("a" + shown + "b");
    }

    @Test
    void ordinaryTextOfAnyScriptStays() {
        assertThat(Terminal.shown("Müller – 例え, 😀 \\ \"x\"")).isEqualTo("Müller – 例え, 😀 \\ \"x\"");
    }

    @Test
    void coloursAreOnlyForThoseWhoSeeThem() {
        assertThat(new Captured(true).terminal.red("x")).isEqualTo("\u001b[31mx\u001b[0m");
        assertThat(new Captured(false).terminal.red("x")).isEqualTo("x");
    }

    @Test
    void aTableCutsWideCellsButNotTheLast() {
        Captured cli = new Captured(false);

        cli.terminal.table(List.of("A", "B"), List.of(List.of("x".repeat(100), "y".repeat(100)), List.of("1", "2")));

        assertThat(cli.lines())
                .containsExactly(
                        "A" + " ".repeat(61) + "B",
                        "x".repeat(59) + "…  " + "y".repeat(100),
                        "1" + " ".repeat(61) + "2");
    }
}
