package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrganizationalDomainTest {

    @ParameterizedTest
    @CsvSource({
        // signer, domain
        "example.com, example.com, true",
        "example.com, a.b.example.com, true",
        "b.example.com, a.b.example.com, true",
        "a.example.com, example.com, false",
        "a.example.com, b.example.com, false",
        "example.com, badexample.com, false",
        "com, example.com, false",
        "com, com, false",
        "co.uk, shop.co.uk, false",
        "shop.co.uk, mail.shop.co.uk, true",
        "github.io, github.io, true",
        "github.io, me.github.io, false",
        "amazonaws.com, bucket.s3.amazonaws.com, false",
        "xn--55qx5d.cn, shop.xn--55qx5d.cn, false",
        "shop.xn--55qx5d.cn, mail.shop.xn--55qx5d.cn, true",
        "reporter.internal, mail.reporter.internal, true",
        "internal, mail.reporter.internal, false",
        // no host has such a name, so nobody mails from it
        "example.com, _x.example.com, false"
    })
    void aSignerSpeaksForItselfAndWhatLiesBelowItWithinOneOwner(String signer, String domain, boolean speaks) {
        assertThat(OrganizationalDomain.speaksFor(signer, domain)).isEqualTo(speaks);
    }

    @ParameterizedTest
    @ValueSource(strings = {"com", "co.uk", "xn--p1ai", "xn--55qx5d.cn", "localhost"})
    void aRegistryIsKnownInALabels(String name) {
        assertThat(OrganizationalDomain.isRegistry(name)).isTrue();
    }
}
