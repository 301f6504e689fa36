package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import org.junit.jupiter.api.Test;

class KnownMxsTest {

    private static final LocalDate TODAY = LocalDate.parse("2026-11-20");

    @Test
    void anMxIsKnownAsLongAsItIsNamed() {
        KnownMxs known =
                KnownMxs.NONE.with("a", TODAY, true).with("b", TODAY, true).with("a", TODAY.plusDays(9), true);
        assertThat(known.since(TODAY.plusDays(1)).names()).containsExactly("a");
    }

    @Test
    void trustLapsesWhenOnlyStrangersNameIt() {
        KnownMxs known = KnownMxs.NONE.with("a", TODAY, true).with("a", TODAY.plusDays(9), false);
        assertThat(known.known().getFirst().byTrusted()).isTrue();
        assertThat(known.since(TODAY.plusDays(1)).known().getFirst().byTrusted())
                .isFalse();
    }

    @Test
    void strangersGetTwentyPlacesAndDisplaceNoTrustedOne() {
        KnownMxs known = KnownMxs.NONE;
        for (int i = 0; i < 80; i++) {
            known = known.with("trusted" + i, TODAY, true);
        }
        for (int i = 0; i < 500; i++) {
            known = known.with("stranger" + i, TODAY.plusDays(1), false);
        }
        assertThat(known.names())
                .hasSize(100)
                .filteredOn(name -> name.startsWith("trusted"))
                .hasSize(80);
        assertThat(known.contains("stranger19")).isTrue();
        assertThat(known.contains("stranger20")).isFalse();
    }

    @Test
    void aTrustedOneTakesThePlaceOfAStrangersFirst() {
        KnownMxs known = KnownMxs.NONE;
        for (int i = 0; i < 80; i++) {
            known = known.with("trusted" + i, TODAY, true);
        }
        for (int i = 0; i < 20; i++) {
            known = known.with("stranger" + i, TODAY, false);
        }
        known = known.with("newcomer", TODAY, true);
        assertThat(known.names())
                .hasSize(100)
                .contains("newcomer")
                .filteredOn(name -> name.startsWith("trusted"))
                .hasSize(80);
    }

    @Test
    void amongEqualsTheTurnoverIsOneADay() {
        KnownMxs known = KnownMxs.NONE;
        for (int i = 0; i < 1_000; i++) {
            known = known.with("mx" + i, TODAY, true);
        }
        assertThat(known.names()).hasSize(100).contains("mx0").doesNotContain("mx100");
        for (int i = 0; i < 1_000; i++) {
            known = known.with("next" + i, TODAY.plusDays(1), true);
        }
        assertThat(known.names()).hasSize(100).allMatch(name -> name.startsWith("next"));
    }
}
