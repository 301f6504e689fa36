package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressTest {

    @Test
    void onATerminalABarIsDrawnOverAndTakenAway() {
        Captured cli = new Captured(true);
        Progress progress = new Progress(cli.terminal, cli.nanos::get, 20_000, 1_000_000);

        after(cli, Duration.ofSeconds(10));
        progress.at(5_000, 250_000, 5_000);
        progress.at(5_001, 250_000, 5_001);
        progress.clear();

        assertThat(cli.err())
                .isEqualTo(
                        "\r\u001b[K[#######.......................] 25 % 5,000 of 20,000 files, 5,000 reports, 500/s,"
                                + " 0:30 left\r\u001b[K");
    }

    @Test
    void elsewhereAPlainLineIsWrittenEveryTenSeconds() {
        Captured cli = new Captured(false);
        Progress progress = new Progress(cli.terminal, cli.nanos::get, 20_000, 1_000_000);

        after(cli, Duration.ofSeconds(9));
        progress.at(4_000, 200_000, 4_000);
        assertThat(cli.err()).isEmpty();
        after(cli, Duration.ofSeconds(1));
        progress.at(5_000, 250_000, 5_000);
        after(cli, Duration.ofSeconds(1));
        progress.at(5_500, 260_000, 5_500);
        progress.clear();

        assertThat(cli.err().lines()).containsExactly("25 %: 5,000 of 20,000 files, 5,000 reports, 500/s, 0:30 left");
    }

    private static void after(Captured cli, Duration time) {
        cli.nanos.addAndGet(time.toNanos());
    }
}
