package io.tlsrpt.console;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The one series of numbers that a domain is shown by. Series are never added: policy types describe the same sessions
/// (RFC 8460 §4), and what nobody vouches for could be anything.
///
/// @param policyType one that RFC 8460 knows: what strangers invent is no headline
record Headline(String policyType, Trust trust) {

    /// The policy type with most sessions among verified reports; without any of them, among unverified ones.
    ///
    /// @return null when there is no session
    static @Nullable Headline of(Collection<Totals> totals) {
        for (Trust trust : Trust.values()) {
            String best = null;
            long most = 0;
            for (String policyType : Totals.POLICY_TYPES) {
                Headline candidate = new Headline(policyType, trust);
                long sessions = totals.stream()
                        .filter(candidate::covers)
                        .mapToLong(Totals::sessions)
                        .sum();
                if (sessions > most) {
                    best = policyType;
                    most = sessions;
                }
            }
            if (best != null) {
                return new Headline(best, trust);
            }
        }
        return null;
    }

    /// The same among what is asked for; what is not asked for and not there is `sts`, `verified`.
    ///
    /// @param policyType absent: any
    /// @param trust absent: any
    static Headline of(Collection<Totals> totals, @Nullable String policyType, @Nullable Trust trust) {
        String counted = policyType == null ? null : Totals.policyTypeOf(policyType);
        List<Totals> asked = totals.stream()
                .filter(total -> (counted == null || counted.equals(total.policyType()))
                        && (trust == null || trust == Trust.of(total.authentication())))
                .toList();
        Headline found = of(asked);
        if (policyType != null) {
            boolean verified = asked.stream().anyMatch(total -> Trust.of(total.authentication()) == Trust.VERIFIED);
            Trust likely = verified || asked.isEmpty() ? Trust.VERIFIED : Trust.UNVERIFIED;
            return new Headline(policyType, trust != null ? trust : found != null ? found.trust : likely);
        }
        return found != null ? found : new Headline("sts", trust == null ? Trust.VERIFIED : trust);
    }

    boolean covers(Totals totals) {
        return totals.policyType().equals(policyType) && Trust.of(totals.authentication()) == trust;
    }
}
