package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FromFieldTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '#',
            value = {
                "a@example.com | example.com",
                "<a@Example.COM> | example.com",
                "Reports <a@example.com> | example.com",
                "\"a@google.com\" <b@evil.example> | evil.example",
                "a@google.com <b@evil.example> | evil.example",
                "(a@google.com) b@evil.example | evil.example",
                "b@evil.example (a@google.com (nested\\) <c@x.y>)) | evil.example",
                "\"x\\\" <a@google.com> \" <b@evil.example> | evil.example",
                "\"a@b\"@example.com | example.com",
                "\"a,b\" <c@example.com>, d@example.org | example.com example.org",
                "=?utf-8?q?a=40google=2Ecom?= <b@evil.example> | evil.example",
                "a@[192.0.2.1] | ##",
                "a@google.com, nonsense | ##",
                "<@relay.example:a@google.com> | ##",
                "a@b@google.com | ##",
                "<a@google.com> <b@evil.example> | ##",
                "<a@google.com | ##",
                "\"open <a@google.com> | ##",
                "(open <a@google.com> | ##",
                "group: a@google.com; | ##",
                "@google.com | ##",
                "nobody | ##",
                "## | ##"
            })
    void theDomainIsThatOfTheMailboxAndOfNothingThatLooksLikeOne(String value, String domains) {
        byte[] mail = ("From: " + value + "\r\n\r\n").getBytes(StandardCharsets.UTF_8);
        assertThat(String.join(
                        " ",
                        FromField.domains(mail, Header.read(mail).all("from").getFirst())))
                .isEqualTo(domains);
    }
}
