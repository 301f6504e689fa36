package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AlertMatchTest {

    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final String ID = "0f3c".repeat(16);

    private static Alert alert(@Nullable String domain, @Nullable String mx, @Nullable String submitter) {
        return new Alert(
                ID,
                ID + "-1",
                "certificate",
                "certificate-expired",
                domain,
                mx,
                submitter,
                "sts",
                Map.of("team", "mail", "customer", "acme"),
                Alert.FIRING,
                "critical",
                1,
                null,
                NOON,
                NOON,
                null,
                null,
                null,
                null,
                "expired",
                new Alert.Evidence(
                        LocalDate.parse("2026-11-20"),
                        "A",
                        5,
                        55,
                        0,
                        1_500,
                        null,
                        null,
                        null,
                        null,
                        List.of("shared.example", "mail.example.net"),
                        2),
                null,
                null,
                null);
    }

    private static AlertMatch reading(String json) {
        return new JsonSerde<>(AlertMatch.class).read(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    {'domains':['example.com']}                          | true
                    {'domains':['shared.example']}                       | true
                    {'domains':['*.example.net']}                        | true
                    {'domains':['example.net']}                          | false
                    {'domains':['*.example.com']}                        | false
                    {'domains':['other.example','example.com']}          | true
                    {'receiving-mx-hostnames':['mx1.example.com']}       | true
                    {'receiving-mx-hostnames':['mx2.example.com']}       | false
                    {'submitters':['google.com']}                        | false
                    {'labels':{'team':'mail'}}                           | true
                    {'labels':{'team':'mail','customer':'acme'}}         | true
                    {'labels':{'team':'mail','customer':'other'}}        | false
                    {'rules':['certificate','dane']}                     | true
                    {'rules':['dane']}                                   | false
                    {'severities':['critical']}                          | true
                    {'severities':['warning','info']}                    | false
                    {'classes':['certificate']}                          | true
                    {'classes':['sts-policy']}                           | false
                    {'domains':['example.com'],'rules':['certificate']}  | true
                    {'domains':['example.com'],'rules':['dane']}         | false
                    {}                                                   | true
                    """)
    void everyKindThatIsGivenMustMatchOfOneKindAnyValue(String match, boolean matches) {
        assertThat(reading(match).matches(alert("example.com", "mx1.example.com", null)))
                .isEqualTo(matches);
    }

    @Test
    void anAlertIsMatchedByItsId() {
        assertThat(reading("{'alert-ids':['" + ID + "']}").matches(alert(null, null, null)))
                .isTrue();
        assertThat(reading("{'alert-ids':['" + "a".repeat(64) + "']}").matches(alert(null, null, null)))
                .isFalse();
    }

    @Test
    void emptyListsAskForNothing() {
        assertThat(reading("{}").meansAll()).isTrue();
        assertThat(reading("{'domains':[],'labels':{}}").meansAll()).isTrue();
        assertThat(reading("{'severities':['info']}").meansAll()).isFalse();
    }

    @Test
    void allSeveritiesAskForNothingEither() {
        AlertMatch all = reading("{'severities':['info','warning','critical']}");
        assertThat(all.meansAll()).isTrue();
        assertThat(new Silence("s1", all, NOON, NOON.plusSeconds(3_600), "alice", "work", NOON)
                        .mutes(alert("example.com", null, null), NOON))
                .isFalse();
        assertThat(reading("{'severities':['info','warning','critical'],'rules':['dane']}")
                        .meansAll())
                .isFalse();
    }

    @Test
    void aSilenceMutesFromItsStartUntilBeforeItsEndAndOnlyWhatItMatches() {
        Silence silence = new Silence(
                "s1", reading("{'domains':['example.com']}"), NOON, NOON.plusSeconds(3_600), "alice", "work", NOON);
        Alert ours = alert("example.com", null, null);

        assertThat(silence.mutes(ours, NOON.minusMillis(1))).isFalse();
        assertThat(silence.mutes(ours, NOON)).isTrue();
        assertThat(silence.mutes(ours, NOON.plusMillis(3_599_999))).isTrue();
        assertThat(silence.mutes(ours, NOON.plusSeconds(3_600))).isFalse();
        assertThat(silence.mutes(alert("other.example", null, null), NOON)).isFalse();
    }

    @Test
    void anAlertLiesWithItsDomainElseItsMxElseItsSubmitter() {
        assertThat(alert("example.com", "mx1.example.net", "google.com").partition(12))
                .isEqualTo(Topics.partition("example.com", 12));
        assertThat(alert(null, "mx1.example.net", "google.com").partition(12))
                .isEqualTo(Topics.partition("mx1.example.net", 12));
        assertThat(alert(null, null, "google.com").partition(12)).isEqualTo(Topics.partition("google.com", 12));
        assertThat(alert(null, null, null).partition(12)).isEqualTo(Topics.partition("", 12));
    }
}
