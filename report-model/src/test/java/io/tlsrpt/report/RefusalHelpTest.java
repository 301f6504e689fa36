package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RefusalHelpTest {

    @Test
    void everyReasonHasItsOwnHelpInTheOrderOfTheReasons() {
        assertThat(RefusalHelp.all()).extracting(RefusalHelp::reason).containsExactly(RefusalReason.values());
        assertThat(RefusalHelp.all()).extracting(RefusalHelp::meaning).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource
    void helpIsASentenceOfPlainTextThatFitsATableAndATerminal(RefusalReason reason) {
        RefusalHelp help = RefusalHelp.of(reason);
        for (String text : new String[] {help.meaning(), help.fix()}) {
            assertThat(text).matches("[\\x20-\\x7e§]{20,600}").endsWith(".").doesNotContain("|", "  ");
            assertThat(text.chars().filter(character -> character == '`').count())
                    .isEven();
        }
    }

    @Test
    void whatIsToBeRetriedSaysWhatToDoFirst() {
        assertThat(Arrays.stream(RefusalReason.values())
                        .map(RefusalHelp::of)
                        .filter(help -> help.retry() == RefusalHelp.Retry.NEVER))
                .extracting(help -> help.reason().word())
                .containsExactly("empty", "truncated", "too-large", "too-many-details");
        assertThat(RefusalHelp.of(RefusalReason.FOREIGN_DOMAIN).fix())
                .contains("`domains:`", "./tlsrpt domains accept DOMAIN");
        assertThat(RefusalHelp.of(RefusalReason.CONFLICTING_DUPLICATE).retry()).isEqualTo(RefusalHelp.Retry.VOUCH);
    }

    @Test
    void aReasonIsFoundByItsWord() {
        for (RefusalReason reason : RefusalReason.values()) {
            assertThat(RefusalReason.of(reason.word())).contains(reason);
        }
        assertThat(RefusalReason.of("nonsense")).isEmpty();
    }
}
