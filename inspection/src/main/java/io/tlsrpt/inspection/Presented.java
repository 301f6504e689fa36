package io.tlsrpt.inspection;

import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one address of an MX host showed over SMTP with STARTTLS.
///
/// @param starttls `offered`, `missing`, `failed` (offered, then no handshake) or `unknown` (not reached)
/// @param detail why it was not reached, or what failed; in words of ours, with the server's cleaned and cut
/// @param tlsVersion such as `TLSv1.3`
/// @param chain as the server sent it, leaf first; empty without a handshake
public record Presented(
        String starttls, @Nullable String detail, @Nullable String tlsVersion, List<X509Certificate> chain) {

    public static final String OFFERED = "offered";
    public static final String MISSING = "missing";
    public static final String FAILED = "failed";
    public static final String UNKNOWN = "unknown";

    public Presented {
        chain = List.copyOf(chain);
    }
}
