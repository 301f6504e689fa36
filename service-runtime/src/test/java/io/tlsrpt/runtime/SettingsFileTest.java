package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsFileTest {

    @TempDir
    Path directory;

    @Test
    void anEmptyFileMeansTheDefaults() {
        Settings settings = SettingsFile.parse("a.yaml", "", name -> null);

        assertThat(settings).isEqualTo(SettingsFile.defaults());
        assertThat(settings.retention()).isEqualTo(Duration.ofDays(400));
        assertThat(settings.intake().listen()).hasToString("127.0.0.1:8080");
        assertThat(settings.api().listen()).isEqualTo(settings.intake().listen());
        assertThat(settings.admin().listen()).hasToString("127.0.0.1:8081");
        assertThat(settings.embeddedBroker()).isTrue();
    }

    @Test
    void labelsStayInTheOrderOfTheFileInEveryProcess() {
        Settings settings = SettingsFile.parse(
                "a.yaml", "domains: [{name: example.com, labels: {d: 1, b: 2, e: 3, a: 4, c: 5, f: 6}}]", name -> null);

        assertThat(settings.domains().getFirst().labels().keySet()).containsExactly("d", "b", "e", "a", "c", "f");
    }

    @Test
    void aVariableMayHaveADefaultOrSayWhatToDo() {
        String text = """
                topic-prefix: ${PREFIX:-tlsrpt.}
                kafka:
                  bootstrap-servers: ${BROKERS:?say where the brokers are}
                """;

        Settings settings = SettingsFile.parse("a.yaml", text, Map.of("PREFIX", "", "BROKERS", "k1:9092")::get);
        assertThat(settings.topicPrefix()).isEqualTo("tlsrpt.");
        assertThat(settings.kafka().bootstrapServers()).isEqualTo("k1:9092");

        assertThat(SettingsFile.parse("a.yaml", text, Map.of("PREFIX", "a.", "BROKERS", "k1:9092")::get)
                        .topicPrefix())
                .isEqualTo("a.");
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", text, Map.of("BROKERS", "")::get))
                .isInstanceOf(SettingsFault.class)
                .hasMessageContaining("a.yaml:3: kafka.bootstrap-servers: the environment has no variable BROKERS:"
                        + " say where the brokers are");
    }

    @Test
    void everyKindOfValueIsRead() {
        Settings settings = SettingsFile.parse("a.yaml", """
                retention: 14600d
                domains:
                  - name: example.com
                    labels: {team: mail, customer: acme}
                  - name: "*.example.net"
                kafka:
                  bootstrap-servers: ${BROKERS}
                  properties:
                    security.protocol: SSL
                intake:
                  max-inflated: 5MiB
                  ack-timeout: 500ms
                  tokens:
                    - token: abcdefghijklmnop
                      channel-domain: example.com
                alerting:
                  rules:
                    sensitivity: eager
                    starttls-regression: false
                  receivers:
                    - name: ops
                      url: https://hooks.example.com/x
                      min-severity: critical
                """, Map.of("BROKERS", "k1:9092,k2:9092")::get);

        assertThat(settings.kafka().bootstrapServers()).isEqualTo("k1:9092,k2:9092");
        assertThat(settings.kafka().properties()).containsEntry("security.protocol", "SSL");
        assertThat(settings.domains().getFirst().labels()).containsEntry("customer", "acme");
        assertThat(settings.domains().get(1).matches("a.example.net")).isTrue();
        assertThat(settings.domains().get(1).matches("example.net")).isFalse();
        assertThat(settings.intake().maxInflated().bytes()).isEqualTo(5 * 1024 * 1024);
        assertThat(settings.intake().tokens().getFirst().token().reveal()).isEqualTo("abcdefghijklmnop");
        assertThat(settings.alerting().rules().sensitivity()).isEqualTo(Settings.Sensitivity.EAGER);
        assertThat(settings.alerting().receivers().getFirst().minSeverity()).isEqualTo(Settings.Severity.CRITICAL);
        assertThat(settings.toString()).doesNotContain("hooks.example.com").doesNotContain("abcdefghijklmnop");
    }

    @Test
    void allFaultsAreToldAtOnceEachWithItsLineAndPath() {
        SettingsFault fault =
                catchThrowableOfType(SettingsFault.class, () -> SettingsFile.parse("a.yaml", """
                retention: forever
                intke:
                  listen: 127.0.0.1:1
                intake:
                  listen: nowhere
                  ack-timeout: 9s
                  tokens:
                    - channel-domain: example.com
                  trusted-networks:
                    - 10.0.0.0/8
                    - 10.0.0.0/33
                kafka: yes please
                alerting:
                  receivers:
                    - name: ops
                      url: ${HOOK}
                """, name -> null));

        assertThat(fault.faults().stream().map(Object::toString))
                .anySatisfy(line -> assertThat(line).startsWith("a.yaml:1: retention: expected a duration"))
                .anySatisfy(line -> assertThat(line).startsWith("a.yaml:2: intke: unknown key; known here: data,"))
                .anySatisfy(line -> assertThat(line).startsWith("a.yaml:5: intake.listen: expected host:port"))
                .anySatisfy(line -> assertThat(line).startsWith("a.yaml:8: intake.tokens[0].token: is required"))
                .anySatisfy(line ->
                        assertThat(line).startsWith("a.yaml:11: intake.trusted-networks[1]: expected a prefix length"))
                .anySatisfy(line -> assertThat(line).startsWith("a.yaml:12: kafka: expected a section"))
                .anySatisfy(line -> assertThat(line)
                        .startsWith("a.yaml:16: alerting.receivers[0].url: the environment has no variable HOOK"))
                .hasSize(7);
    }

    @Test
    void aValueOutOfItsLimitsNamesTheLimits() {
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "intake:\n  ack-timeout: 9s\n", name -> null))
                .hasMessageContaining("a.yaml:2: intake: ack-timeout must be 100ms to 8s");
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "api:\n  listen: 0.0.0.0:8080\n", name -> null))
                .hasMessageContaining("api: listen must be a loopback address");
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "admin:\n  listen: 127.0.0.1:8080\n", name -> null))
                .hasMessageContaining("admin.listen must not be api.listen");
        assertThatThrownBy(() -> SettingsFile.parse(
                        "a.yaml", "alerting:\n  quiet-hours: {from: \"07:00\", to: \"07:00:00\"}\n", name -> null))
                .hasMessageContaining("from and to must be different times");
    }

    @Test
    void aKeyThatStandsTwiceAndBrokenYamlAreFaults() {
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "retention: 1d\nretention: 2d\n", name -> null))
                .hasMessageContaining("a.yaml:2: retention: stands twice");
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "retention: [\n", name -> null))
                .hasMessageContaining("not YAML");
        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", "a: &x [*x, *x]\n", name -> null))
                .isInstanceOf(SettingsFault.class);
    }

    @Test
    void aSecretMayComeFromAFileAndIsNeverShown() throws Exception {
        Path secret = Files.writeString(directory.resolve("hook"), "https://hooks.example.com/secret\n");
        Settings settings = SettingsFile.parse(
                "a.yaml", "alerting:\n  receivers:\n    - name: ops\n      url-file: " + secret + "\n", name -> null);

        assertThat(Objects.requireNonNull(
                                settings.alerting().receivers().getFirst().url())
                        .reveal())
                .isEqualTo("https://hooks.example.com/secret");
        assertThat(settings.toString()).doesNotContain("hooks.example.com");
    }

    @Test
    void theStarterFileMeansTheDefaultsAndShowsEveryKey() {
        String starter = SettingsDocument.starter();
        assertThat(SettingsFile.parse("starter", starter, name -> null)).isEqualTo(SettingsFile.defaults());
        assertThat(starter)
                .contains("#retention: 400d", "#  ack-timeout: 3s", "#    - name: …", "#      min-severity: warning");
    }

    @Test
    void aChangedFileIsTakenAndABadOneChangesNothing() throws Exception {
        Path file = Files.writeString(directory.resolve("tlsrpt.yaml"), "domains: [{name: a.example}]\n");
        LiveSettings live = LiveSettings.of(file, settings -> settings);
        assertThat(live.get().domains().getFirst().name()).isEqualTo("a.example");

        change(file, "domains: [{name: b.example}]\n", 1);
        live.look();
        assertThat(live.get().domains().getFirst().name()).isEqualTo("b.example");

        change(file, "domains: [{nme: c.example}]\n", 2);
        live.look();
        assertThat(live.get().domains().getFirst().name()).isEqualTo("b.example");
    }

    private static void change(Path file, String text, int seconds) throws Exception {
        Files.writeString(file, text);
        Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.fromMillis(seconds * 1000L));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {listen: 0.0.0.0:8080}                                                              | until tokens or trusted-proxy say who may ask
            {allow-unauthenticated: true, tokens: [{name: a, sha256: $A}]}                      | allow-unauthenticated: true contradicts tokens
            {allow-unauthenticated: true, trusted-proxy: {networks: [10.0.0.1/32]}}             | allow-unauthenticated: true contradicts tokens
            {tokens: [{name: a, sha256: $A}, {name: a, sha256: $B}]}                            | tokens must have different names
            {tokens: [{name: a, sha256: $A}, {name: b, sha256: $A}]}                            | two entries have the same sha256
            {tokens: [{name: a, sha256: hunter2}]}                                              | sha256 must be 64 hex digits
            {tokens: [{name: "a\\tb", sha256: $A}]}                                           | name must be 1 to 64 letters
            {tokens: [{name: a, sha256: $A, role: admin}]}                                      | expected one of read, operate
            {tokens: [{name: a}]}                                                               | api.tokens[0].sha256: is required
            {tokens: [{name: a, sha256: $A, token: x}]}                                         | unknown key
            {trusted-proxy: {user-header: Remote-User}}                                         | networks must name where the proxy connects from
            {trusted-proxy: {networks: [everywhere]}}                                           | expected a network
            {trusted-proxy: {networks: [10.0.0.1/32], user-header: "a b"}}                      | must be two names of headers
            {trusted-proxy: {networks: [10.0.0.1/32], user-header: X, groups-header: x}}        | must be two names of headers
            {trusted-proxy: {networks: [10.0.0.1/32], groups: [{name: a}, {name: a}]}}          | groups must have different names
            """)
    void whoMayAskIsSaidStrictly(String api, String fault) {
        String yaml = "api: " + api.replace("$A", "a".repeat(64)).replace("$B", "b".repeat(64));

        assertThatThrownBy(() -> SettingsFile.parse("a.yaml", yaml, name -> null))
                .hasMessageContaining(fault)
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void theHashOfATokenMayComeFromAFile() throws Exception {
        Path hash = Files.writeString(directory.resolve("sha256"), "a".repeat(64) + "\n");
        Settings settings = api("{listen: 0.0.0.0:8080, tokens: [{name: a, sha256-file: " + hash + "}]}");

        assertThat(settings.api().tokens())
                .isEqualTo(api("{tokens: [{name: a, sha256: $A}]}").api().tokens());
    }

    @Test
    void withTokensTheApiMayListenBeyondThisMachineAndTokensApplyWhileItRuns() {
        Settings one = api("{listen: 0.0.0.0:8080, tokens: [{name: a, sha256: $A, labels: {team: mail}}]}");
        Settings other = api("{listen: 0.0.0.0:8080, tokens: [{name: b, sha256: $B, role: operate}]}");
        Settings elsewhere = api("{listen: 127.0.0.1:8080}");

        assertThat(one.api().tokens().getFirst().role()).isEqualTo(Caller.Role.READ);
        assertThat(one.api().tokens().getFirst().labels()).containsEntry("team", "mail");
        assertThat(other.onlyReloadableDiffers(one)).isTrue();
        assertThat(elsewhere.onlyReloadableDiffers(one)).isFalse();
        assertThat(one.onlyReloadableDiffers(elsewhere)).isFalse();
    }

    private static Settings api(String api) {
        return SettingsFile.parse(
                "a.yaml", "api: " + api.replace("$A", "a".repeat(64)).replace("$B", "b".repeat(64)), name -> null);
    }
}
