package io.tlsrpt.alerting;

import io.tlsrpt.topics.Aggregate;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Under which name failures are pooled: the MX host that a report names, or `@` and the domain where it names none, or
/// where the fault is the domain's whatever MX is named: its MTA-STS policy. No name of a stranger's begins like that,
/// nor
/// like another [Subject].
final class MxName {

    private static final String NAMELESS = "@";
    private static final int LONGEST = 253;

    private MxName() {}

    static String of(Aggregate.Failure failure, String policyDomain) {
        String host = failure.receivingMxHostname();
        if (host == null || Rule.of(failure.resultType()) == Rule.STS_POLICY) {
            return NAMELESS + policyDomain;
        }
        String name = CleanText.of(host.strip().toLowerCase(Locale.ROOT), LONGEST);
        while (name.startsWith(NAMELESS) || name.startsWith(Subject.PREFIX)) {
            name = name.substring(1);
        }
        while (name.endsWith(".")) {
            name = name.substring(0, name.length() - 1);
        }
        return name.isEmpty() ? NAMELESS + policyDomain : name;
    }

    /// The name of a domain whose reports name no host.
    static String nameless(String policyDomain) {
        return NAMELESS + policyDomain;
    }

    /// The host; null when the name stands for a domain whose reports name none.
    static @Nullable String host(String name) {
        return name.startsWith(NAMELESS) ? null : name;
    }

    /// The domain whose reports name no host; null when the name is a host's.
    static @Nullable String domain(String name) {
        return name.startsWith(NAMELESS) ? name.substring(1) : null;
    }
}
