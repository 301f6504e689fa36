package io.tlsrpt.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RulesTest {

    private static final Pattern HEADING = Pattern.compile("^### (\\S+)$", Pattern.MULTILINE);

    @Test
    void prometheusTakesThem() {
        Program.named("promtool").run("check", "rules", "--lint=all", "--lint-fatal", Rules.ALERTS, Rules.RECORDING);
    }

    @Test
    void eachFiresWhenItShouldAndIsSilentWhenItShould() {
        List<Object> arguments = new ArrayList<>(List.of("test", "rules"));
        arguments.addAll(Rules.tests());
        Program.named("promtool").run(arguments.toArray());
    }

    @Test
    void eachAlertHasATestThatItFiresAndOneThatItDoesNot() {
        List<String> expected = Rules.in(Rules.ALERTS).stream()
                .flatMap(alert -> List.of(alert.name() + " fires", alert.name() + " stays silent").stream())
                .toList();
        assertThat(expected).isNotEmpty();
        assertThat(Rules.tests().stream()
                        .flatMap(file -> Rules.testNames(file).stream())
                        .toList())
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void eachAlertSaysHowBadItIsWhatItIsAndWhatToDo() {
        for (Rules.Rule alert : Rules.in(Rules.ALERTS)) {
            assertThat(String.valueOf(alert.labels().get("severity")))
                    .as(alert.name())
                    .isIn("critical", "warning", "info");
            assertThat(String.valueOf(alert.labels().get("component")))
                    .as(alert.name())
                    .isIn("process", "intake", "mail", "streams", "alerting", "console");
            assertThat(String.valueOf(alert.annotations().get("summary")))
                    .as(alert.name())
                    .hasSizeBetween(10, 120);
            assertThat(String.valueOf(alert.annotations().get("description")))
                    .as(alert.name())
                    .hasSizeBetween(40, 400);
            assertThat(alert.annotations().get("runbook_url"))
                    .isEqualTo("docs/monitoring.md#" + alert.name().toLowerCase(Locale.ROOT));
        }
    }

    @Test
    void eachAlertHasASectionInTheDocumentsAndNoOtherHas() throws Exception {
        Set<String> sections = HEADING.matcher(Files.readString(Program.ROOT.resolve("docs/monitoring.md")))
                .results()
                .map(heading -> heading.group(1))
                .collect(Collectors.toSet());
        assertThat(sections)
                .isEqualTo(Rules.in(Rules.ALERTS).stream().map(Rules.Rule::name).collect(Collectors.toSet()));
    }
}
