package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.ingest.RejectedQuota.Keep;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RejectedQuotaTest {

    private final AtomicLong now = new AtomicLong();
    private final RejectedQuota quota = new RejectedQuota(1024 * 1024, now::get);

    @Test
    void beyondTheBytesOnlyHeadsAreKeptAndThenNothing() {
        assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.WHOLE);
        for (int head = 0; head < 1000; head++) {
            assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.HEAD);
        }
        assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.NOTHING);
        assertThat(quota.ask(List.of("192.0.2.2"), 1_000_000)).as("another one").isEqualTo(Keep.WHOLE);
    }

    @Test
    void theBytesComeBackOverAnHour() {
        assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.WHOLE);
        now.addAndGet(Duration.ofMinutes(30).toNanos());
        assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.HEAD);
        now.addAndGet(Duration.ofMinutes(30).toNanos());
        assertThat(quota.ask(List.of("192.0.2.1"), 1_000_000)).isEqualTo(Keep.WHOLE);
    }

    @Test
    void oneSubmitterOverManyRemotesIsStoppedToo() {
        assertThat(quota.ask(List.of("192.0.2.1", "submitter evil.example"), 1_000_000))
                .isEqualTo(Keep.WHOLE);
        assertThat(quota.ask(List.of("192.0.2.2", "submitter evil.example"), 1_000_000))
                .isEqualTo(Keep.HEAD);
    }

    @Test
    void aLongNameIsTheSameSenderEachTime() {
        String name = "submitter " + "x".repeat(60_000);
        assertThat(quota.ask(List.of(name), 1_000_000)).isEqualTo(Keep.WHOLE);
        assertThat(quota.ask(List.of(name), 1_000_000)).isEqualTo(Keep.HEAD);
    }

    @Test
    void manySendersDoNotFillTheMemory() {
        for (int sender = 0; sender < 100_000; sender++) {
            assertThat(quota.ask(List.of("sender " + sender), 100)).isEqualTo(Keep.WHOLE);
        }
    }
}
