package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dns.LoopbackDns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecordCommandTest {

    private static final String OURS = "mailto:reports@in.example";

    private final Map<String, List<String>> texts = new TreeMap<>();
    private final Captured cli = new Captured(false);
    private LoopbackDns dns;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws IOException {
        dns = LoopbackDns.serving(texts);
    }

    @AfterEach
    void stop() throws IOException {
        dns.close();
    }

    @Test
    void aRecordAsWantedNeedsNothing() {
        publish("example.com", "\"v=TLSRPTv1;rua=mailto:Reports@IN.example\"");

        assertThat(record("example.com")).isZero();

        assertThat(cli.lines())
                .containsExactly(
                        "example.com",
                        "  name       _smtp._tls.example.com  TXT, TTL 86400",
                        "  publish    v=TLSRPTv1; rua=mailto:reports@in.example",
                        "  published  as wanted",
                        "             v=TLSRPTv1;rua=mailto:Reports@IN.example");
    }

    @Test
    void aMissingRecordIsToBePublished() {
        assertThat(record("example.com")).isEqualTo(1);

        assertThat(cli.lines())
                .contains("  published  nothing: there is no TXT record")
                .contains("  next       publish the record; resolvers may not notice for an hour");
    }

    @Test
    void aFaultIsPointedAtWhateverStandsBeforeIt() {
        publish("example.com", "\"v=TLSRPTv1;\\009rua =" + OURS + "\"");

        assertThat(record("example.com")).isEqualTo(1);

        assertThat(cli.lines())
                .containsSubsequence(
                        "  published  invalid: no blank may stand beside =",
                        "             v=TLSRPTv1;\\u0009rua =" + OURS,
                        "                                  ^ character 17",
                        "  next       replace it by the record to publish");
    }

    @Test
    void aFaultFarOutIsShownWithItsSurroundings() {
        publish("example.com", "\"v=TLSRPTv1;rua=mailto:" + "x".repeat(200) + "\" \"" + "y".repeat(100) + "!\"");

        assertThat(record("example.com")).isEqualTo(1);

        assertThat(cli.lines())
                .containsSubsequence("             …" + "y".repeat(60) + "!", " ".repeat(13 + 61) + "^ character 323");
    }

    @Test
    void otherAddressesAreNamedOneByOne() {
        publish("example.com", "\"v=TLSRPTv1;rua=mailto:someone@else.example\"");

        assertThat(record("example.com")).isEqualTo(1);

        assertThat(cli.lines())
                .contains(
                        "  published  other addresses than wanted",
                        "  next       add " + OURS,
                        "  next       reports go to mailto:someone@else.example too: remove it unless you know whose it is");
    }

    @Test
    void theOrderMatters() {
        publish("example.com", "\"v=TLSRPTv1;rua=https://in.example/t," + OURS + "\"");

        assertThat(record("example.com", "--rua", "https://in.example/t")).isEqualTo(1);

        assertThat(cli.out()).contains("in the order wanted").contains("note       Microsoft sends to the first");
    }

    @Test
    void severalRecordsAndForeignRecordsAreShownHarmless() {
        publish("two.example", "\"v=TLSRPTv1;rua=" + OURS + "\"", "\"v=TLSRPTv1;rua=" + OURS + "\"");
        publish("foreign.example", "\"\\027[31mv=spf1\\155 -all\"");

        assertThat(record("two.example", "foreign.example")).isEqualTo(1);

        assertThat(cli.out())
                .contains("leave only the record to publish")
                .contains("\\u001b[31mv=spf1\\u009b -all")
                .doesNotContain("\u001b")
                .doesNotContain("\u009b");
    }

    @Test
    void dnsTroubleIsNotAbsence() {
        texts.put("_smtp._tls.example.com.", List.of());

        assertThat(record("example.com")).isEqualTo(1);

        assertThat(cli.lines())
                .anyMatch(line -> line.matches("  published  unknown: 127\\.0\\.0\\.1:\\d+ answered SERVFAIL"))
                .anyMatch(line -> line.contains("ask again later"));
    }

    @ParameterizedTest
    @CsvSource({
        "mailto:a@example.com, example.com, true",
        "mailto:a@mx.example.com, example.com, true",
        "mailto:a@notexample.com, example.com, false",
        "https://example.com/t, example.com, false"
    })
    void aMailboxOfTheDomainItselfIsRemarkedOn(String rua, String domain, boolean remark) {
        cli.run("http://127.0.0.1:1", "record", "--server", server(), "--rua", rua, domain);

        assertThat(cli.out().contains("the mailbox belongs to the domain itself"))
                .isEqualTo(remark);
    }

    @Test
    void programsReadOneObjectForEachDomain() {
        publish("a.example", "\"v=TLSRPTv1;x=1;rua=" + OURS + "\"");

        assertThat(record("a.example", "b.example", "--json")).isEqualTo(1);

        assertThat(cli.lines())
                .containsExactly(
                        "{\"domain\":\"a.example\",\"name\":\"_smtp._tls.a.example\",\"ttl\":86400,"
                                + "\"record\":\"v=TLSRPTv1; rua=mailto:reports@in.example\","
                                + "\"strings\":[\"v=TLSRPTv1; rua=mailto:reports@in.example\"],"
                                + "\"published\":{\"state\":\"as-wanted\",\"why\":\"as wanted\","
                                + "\"found\":[\"v=TLSRPTv1;x=1;rua=mailto:reports@in.example\"],"
                                + "\"warnings\":[\"rua= is not the second field: some senders want it there\"],"
                                + "\"next\":[]},\"notes\":[]}",
                        "{\"domain\":\"b.example\",\"name\":\"_smtp._tls.b.example\",\"ttl\":86400,"
                                + "\"record\":\"v=TLSRPTv1; rua=mailto:reports@in.example\","
                                + "\"strings\":[\"v=TLSRPTv1; rua=mailto:reports@in.example\"],"
                                + "\"published\":{\"state\":\"absent\",\"why\":\"there is no TXT record\","
                                + "\"found\":[],\"warnings\":[],"
                                + "\"next\":[\"publish the record; resolvers may not notice for an hour\"]},\"notes\":[]}");
    }

    @Test
    void aZoneFileTakesWhatIsPrinted() {
        publish("a.example", "\"v=TLSRPTv1;rua=" + OURS + "\"");

        assertThat(record("a.example", "--format", "zone")).isZero();

        assertThat(cli.lines())
                .containsExactly(
                        "; published now: as-wanted",
                        "_smtp._tls.a.example. 86400 IN TXT \"v=TLSRPTv1; rua=mailto:reports@in.example\"");
    }

    @Test
    void addressesAndResolversComeFromTheConfiguration() throws IOException {
        publish("example.com", "\"v=TLSRPTv1;rua=mailto:configured@in.example\"");
        Path file = Files.writeString(
                directory.resolve("tlsrpt.yaml"),
                "rua: [\"mailto:configured@in.example\"]\ndns: {servers: [\"" + server() + "\"]}\n");

        assertThat(cli.run("http://127.0.0.1:1", "record", "example.com", "--config", file.toString()))
                .as(cli.out() + cli.err())
                .isZero();
    }

    @Test
    void aBadConfigurationIsTold() throws IOException {
        Path file = Files.writeString(directory.resolve("tlsrpt.yaml"), "rua: 7\nnonsense: 1\n");

        assertThat(cli.run("http://127.0.0.1:1", "record", "example.com", "--config", file.toString()))
                .isEqualTo(1);
        assertThat(cli.err()).contains("tlsrpt.yaml:2");
    }

    @Test
    void withoutAddressNothingCanBeSaid() {
        assertThat(cli.run("http://127.0.0.1:1", "record", "example.com")).isEqualTo(2);
        assertThat(cli.err()).contains("say where reports shall go");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "exa mple.com",
                "a..b",
                "example.com --rua=reports@in.example",
                "a --server=b",
                "a --format=xml"
            })
    void wrongUsageEndsWithTwo(String arguments) {
        assertThat(record(arguments.equals("exa mple.com") ? new String[] {arguments} : arguments.split(" ")))
                .isEqualTo(2);
    }

    private void publish(String domain, String... records) {
        texts.put("_smtp._tls." + domain + ".", List.of(records));
    }

    private String server() {
        return "127.0.0.1:" + dns.address().getPort();
    }

    private int record(String... more) {
        return cli.run(
                "http://127.0.0.1:1",
                Stream.concat(Stream.of("record", "--server", server(), "--rua", OURS), Stream.of(more))
                        .toArray(String[]::new));
    }
}
