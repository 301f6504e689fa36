package io.tlsrpt.dns;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.dns.TlsRptRecord.Published;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

class RecordToPublishTest {

    @Test
    void whatEndsAnAddressInARecordIsEscaped() {
        assertThat(record("mailto:a,b!c;d@example.com", "https://in.example/t?x=1,2")
                        .text())
                .isEqualTo("v=TLSRPTv1; rua=mailto:a%2Cb%21c%3Bd@example.com,https://in.example/t?x=1%2C2");
    }

    @Test
    void whatIsPublishedReadsAsWhatWasMeant() {
        RecordToPublish record =
                record("mailto:\"a b\"@bücher.example", "https://in.example/" + "x".repeat(600) + "/ü?k=;");

        Published published = TlsRptRecord.of(List.of(record.text().getBytes(US_ASCII)));

        assertThat(published).isInstanceOf(Published.Valid.class);
        assertThat(((Published.Valid) published).record().warnings()).isEmpty();
        assertThat(record.isAskedForBy(((Published.Valid) published).record())).isTrue();
    }

    @Test
    void aZoneLineCarriesStringsOfAtMost255Bytes() throws IOException {
        RecordToPublish record = record("mailto:a@b.example", "https://in.example/" + "x".repeat(600));
        String line = record.zoneLine("Example.COM.");

        assertThat(line).startsWith("_smtp._tls.example.com. 86400 IN TXT \"v=TLSRPTv1; rua=");
        assertThat(record.strings())
                .hasSize(3)
                .allSatisfy(string -> assertThat(string).hasSizeLessThanOrEqualTo(255));
        TXTRecord parsed = (TXTRecord) Record.fromString(
                Name.fromString("_smtp._tls.example.com."),
                Type.TXT,
                DClass.IN,
                RecordToPublish.TTL,
                line.substring(line.indexOf('"')),
                Name.root);
        assertThat(String.join("", parsed.getStrings())).isEqualTo(record.text());
    }

    @ParameterizedTest
    @CsvSource({
        "mailto:a@b.example, mailto:A%40@b.example, false",
        "mailto:a@b.example, MAILTO:%41@B.example?subject=x, true",
        "mailto:a@b.example, mailto:a@c.example, false",
        "mailto:a@b.example, https://b.example/a, false",
        "https://in.example/t, HTTPS://IN.example:443/t#x, true",
        "https://in.example/t, https://in.example/T, false",
        "https://in.example/t, https://in.example:8443/t, false",
        "https://in.example/t%2c, https://in.example/t%2C, true",
        "https://in.example, https://in.example/, true",
        "http://in.example/, http://in.example/, false",
    })
    void anAddressIsOursWhenReportsWouldArriveAtTheSamePlace(String ours, String theirs, boolean same) {
        assertThat(Rua.written(ours).sameAs(Rua.written(theirs))).isEqualTo(same);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a@b.example",
                "mailto:",
                "mailto:a@b@c.example",
                "mailto:a@b.example,c@d.example",
                "http://in.example/",
                "https:///t",
                "https://in.example/%zz",
                "https://",
                ""
            })
    void anAddressNoReportCanGoToIsRefused(String text) {
        assertThatThrownBy(() -> Rua.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mailto:");
    }

    @ParameterizedTest
    @CsvSource({
        "v=TLSRPTv1;rua=mailto:a@b.example|https://in.example/t, true",
        "v=TLSRPTv1;rua=mailto:A@B.example|https://in.example/t;x=1, true",
        "v=TLSRPTv1;rua=https://in.example/t|mailto:a@b.example, false",
        "v=TLSRPTv1;rua=mailto:a@b.example, false",
        "v=TLSRPTv1;rua=mailto:a@b.example|https://in.example/t|mailto:c@d.example, false",
    })
    void orderAndStrangersCount(String text, boolean same) {
        Published published = TlsRptRecord.of(List.of(text.replace('|', ',').getBytes(US_ASCII)));

        assertThat(record("mailto:a@b.example", "https://in.example/t")
                        .isAskedForBy(((Published.Valid) published).record()))
                .isEqualTo(same);
    }

    private static RecordToPublish record(String... rua) {
        return new RecordToPublish(Stream.of(rua).map(Rua::of).toList());
    }
}
