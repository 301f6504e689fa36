package io.tlsrpt.report;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The policy that was applied (RFC 8460 §4.4).
///
/// @param policyType `sts`, `tlsa`, `no-policy-found`, or another word in lower case, kept as sent
/// @param policyString the lines of the STS policy or the TLSA records; may be empty
/// @param policyDomain lower-case A-label without a trailing dot; absent when the entry names none
/// @param mxHost the MX patterns of the STS policy; may be empty
public record Policy(
        String policyType,
        List<String> policyString,
        @Nullable String policyDomain,
        List<String> mxHost) {

    private static final Set<String> MODES = Set.of("enforce", "testing", "none");

    public Policy {
        policyString = List.copyOf(policyString);
        mxHost = List.copyOf(mxHost);
    }

    /// The `mode` of an STS policy (RFC 8461 §3.2): `enforce`, `testing` or `none`; absent when unknown.
    public @Nullable String policyMode() {
        if (!policyType.equals("sts")) {
            return null;
        }
        for (String line : policyString) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).strip().equalsIgnoreCase("mode")) {
                String mode = line.substring(colon + 1).strip().toLowerCase(Locale.ROOT);
                return MODES.contains(mode) ? mode : null;
            }
        }
        return null;
    }
}
