package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class MovedInTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @Test
    void whatWasJudgedIsBelievedUpToTheRestoreAndNoFurther() {
        assertThat(MovedIn.notAfter(NOON.minusSeconds(1), NOON)).isEqualTo(NOON.minusSeconds(1));
        assertThat(MovedIn.notAfter(NOON.plusSeconds(1), NOON)).isEqualTo(NOON);
    }
}
