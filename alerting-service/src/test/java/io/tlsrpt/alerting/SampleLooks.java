package io.tlsrpt.alerting;

import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Address;
import io.tlsrpt.topics.Inspection.Certificate;
import io.tlsrpt.topics.Inspection.Finding;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A live look in the making: example.com with one MX, where all is well.
final class SampleLooks {

    static final String MX = "mx1.example.com";

    private final Instant at;
    private String domain = "example.com";
    private String rua = "mailto:reports@example.com";
    private String recordState = "published";
    private String stsState = "published";
    private String mode = "enforce";
    private String id = "1";
    private String sha256 = "aa";
    private Instant policyHostEnds;
    private final List<Address> addresses = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();

    private SampleLooks(Instant at) {
        this.at = at;
        this.policyHostEnds = at.plus(Duration.ofDays(60));
    }

    static SampleLooks at(Instant at) {
        return new SampleLooks(at);
    }

    SampleLooks domain(String name) {
        domain = name;
        return this;
    }

    SampleLooks rua(String uri) {
        rua = uri;
        return this;
    }

    SampleLooks policy(String someId, String someSha256) {
        id = someId;
        sha256 = someSha256;
        return this;
    }

    SampleLooks withoutMtaSts() {
        stsState = "missing";
        return this;
    }

    SampleLooks policyHostEnds(Duration from) {
        policyHostEnds = at.plus(from);
        return this;
    }

    /// An address that presents a good certificate for so long.
    SampleLooks address(String ip, Duration certificate) {
        addresses.add(new Address(ip, "offered", null, "TLSv1.3", "valid", null, certificate(at.plus(certificate))));
        return this;
    }

    SampleLooks unreached(String ip) {
        addresses.add(new Address(ip, "unknown", "timed out", null, null, null, null));
        return this;
    }

    /// An address of a family to which there is no way from here.
    SampleLooks withoutRoute(String ip) {
        addresses.add(new Address(ip, "unknown", "no connection: no route from here", null, null, null, null));
        return this;
    }

    SampleLooks without(String ip) {
        addresses.add(new Address(ip, "missing", null, null, null, null, null));
        return this;
    }

    SampleLooks finds(String code, String area, String verdict, @Nullable String mx) {
        findings.add(new Finding(
                code, area, verdict, mx == null ? domain : mx + " [192.0.2.1]", mx, "what was found", "mend it", null));
        return this;
    }

    /// Something about the MX itself, which is no fault.
    SampleLooks says(String code, String verdict) {
        findings.add(new Finding(code, "mx", verdict, MX, MX, "what was found", null, null));
        return this;
    }

    Inspection inspection() {
        if (addresses.isEmpty()) {
            address("192.0.2.1", Duration.ofDays(60));
        }
        boolean published = stsState.equals("published");
        return new Inspection(
                domain,
                at,
                Inspection.WATCH,
                "open",
                null,
                new Inspection.TlsRpt(recordState, "v=TLSRPTv1; rua=" + rua, List.of(rua)),
                new Inspection.MtaSts(
                        stsState,
                        published ? id : null,
                        published ? "valid" : null,
                        published ? mode : null,
                        published ? 604_800L : null,
                        published ? List.of(MX) : null,
                        published ? sha256 : null,
                        published ? certificate(policyHostEnds) : null),
                List.of(new Inspection.Mx(MX, 10, "insecure", true, null, addresses)),
                findings);
    }

    private Certificate certificate(Instant notAfter) {
        return new Certificate(
                "CN=" + MX, "CN=Some Authority", List.of(MX), at.minus(Duration.ofDays(30)), notAfter, "bb");
    }
}
