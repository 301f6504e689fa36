package io.tlsrpt.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// What Grafana would refuse or show badly without a word. What the panels ask is tried by [MonitoringIT].
class DashboardsTest {

    private static final Set<String> PANELS = Set.of("row", "stat", "timeseries", "table", "state-timeline", "text");
    private static final Set<String> UNITS = Set.of("short", "percentunit", "s", "ms", "bytes", "ops");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(\\w+)}?");

    static List<GrafanaDashboard> all() {
        return GrafanaDashboard.all();
    }

    @ParameterizedTest
    @MethodSource("all")
    void panelsHaveNumbersAndPlacesOfTheirOwn(GrafanaDashboard dashboard) {
        Set<Integer> ids = new HashSet<>();
        List<boolean[]> taken = new ArrayList<>();
        for (JsonNode panel : dashboard.panels()) {
            String title = panel.get("title").asString();
            assertThat(ids.add(panel.get("id").asInt())).as(title).isTrue();
            JsonNode place = panel.get("gridPos");
            int left = place.get("x").asInt();
            int right = left + place.get("w").asInt();
            assertThat(right).as(title).isBetween(left + 1, 24);
            for (int y = place.get("y").asInt();
                    y < place.get("y").asInt() + place.get("h").asInt();
                    y++) {
                while (taken.size() <= y) {
                    taken.add(new boolean[24]);
                }
                for (int x = left; x < right; x++) {
                    assertThat(taken.get(y)[x]).as("%s at %d, %d", title, x, y).isFalse();
                    taken.get(y)[x] = true;
                }
            }
        }
        assertThat(taken).as("no line is empty").allMatch(line -> line[0]);
    }

    @ParameterizedTest
    @MethodSource("all")
    void panelsSayWhatTheyShowAndInWhichUnit(GrafanaDashboard dashboard) {
        for (JsonNode panel : dashboard.panels()) {
            String type = panel.get("type").asString();
            assertThat(type).isIn(PANELS);
            if (type.equals("row") || type.equals("text")) {
                continue;
            }
            String title = panel.get("title").asString();
            assertThat(title).isNotBlank();
            assertThat(panel.get("description").asString()).as(title).isNotBlank();
            assertThat(GrafanaDashboard.elements(panel.get("targets")))
                    .as(title)
                    .isNotEmpty();
            if (type.equals("stat") || type.equals("timeseries")) {
                assertThat(panel.at("/fieldConfig/defaults/unit").asString())
                        .as(title)
                        .isIn(UNITS);
            }
            List<Double> steps = GrafanaDashboard.elements(panel.at("/fieldConfig/defaults/thresholds/steps")).stream()
                    .map(step -> step.get("value").isNull()
                            ? Double.NEGATIVE_INFINITY
                            : step.get("value").asDouble())
                    .toList();
            assertThat(steps).as(title).isSorted().startsWith(Double.NEGATIVE_INFINITY);
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void onlyVariablesAreUsedThatThereAre(GrafanaDashboard dashboard) {
        Set<String> known = new HashSet<>(Set.of("__rate_interval", "__all"));
        GrafanaDashboard.elements(dashboard.json().at("/templating/list"))
                .forEach(variable -> known.add(variable.get("name").asString()));
        assertThat(VARIABLE.matcher(dashboard.json().toString()).results().map(use -> use.group(1)))
                .isSubsetOf(known);
    }

    @ParameterizedTest
    @MethodSource("all")
    void theDatasourceIsTheOneThatIsProvisioned(GrafanaDashboard dashboard) throws Exception {
        JsonNode variable = GrafanaDashboard.elements(dashboard.json().at("/templating/list"))
                .getFirst();
        assertThat(variable.get("type").asString()).isEqualTo("datasource");
        assertThat(Files.readString(GrafanaDashboard.DIRECTORY.resolve("provisioning/datasources/prometheus.yaml")))
                .contains("uid: " + variable.at("/current/value").asString() + " ");
        for (JsonNode panel : dashboard.panels()) {
            for (JsonNode target : GrafanaDashboard.elements(panel.path("targets"))) {
                assertThat(target.at("/datasource/uid").asString()).isEqualTo("${datasource}");
            }
        }
    }
}
