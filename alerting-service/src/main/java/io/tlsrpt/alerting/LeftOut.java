package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings.Ignore;
import io.tlsrpt.runtime.Network;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Which failures the settings keep from being judged: those of `alerting.ignore`, and those of rules that are off for
/// their domain.
final class LeftOut {

    enum Why {
        IGNORED,
        RULE_OFF;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private LeftOut() {}

    /// The aggregate as if those sessions had never been: they are neither failed nor clean.
    ///
    /// @param count hears of each failure that is left out
    static Aggregate of(Aggregate aggregate, Settings settings, Consumer<Why> count) {
        List<Aggregate.Failure> kept = new ArrayList<>();
        long gone = 0;
        for (Aggregate.Failure failure : aggregate.failures()) {
            Why why = why(settings, aggregate, failure);
            if (why == null) {
                kept.add(failure);
            } else {
                count.accept(why);
                gone += Math.max(0, failure.failedSessionCount());
            }
        }
        if (kept.size() == aggregate.failures().size()) {
            return aggregate;
        }
        return new Aggregate(
                aggregate.window(),
                aggregate.policyDomain(),
                aggregate.policyType(),
                aggregate.submitter(),
                aggregate.authentication(),
                aggregate.totalSuccessfulSessionCount(),
                Math.max(0, aggregate.totalFailureSessionCount() - gone),
                aggregate.reportCount(),
                aggregate.policyMode(),
                kept,
                aggregate.firstReceivedAt(),
                aggregate.lastReceivedAt(),
                aggregate.latestEndDatetime(),
                aggregate.backfill());
    }

    private static @Nullable Why why(Settings settings, Aggregate aggregate, Aggregate.Failure failure) {
        Rule rule = Rule.of(failure.resultType());
        if (rule == null) {
            return null;
        }
        Settings.Domain entry = settings.domain(aggregate.policyDomain());
        if (entry != null && entry.rulesOff().contains(rule.word())) {
            return Why.RULE_OFF;
        }
        return settings.alerting().ignore().stream().anyMatch(ignore -> matches(ignore, aggregate, failure))
                ? Why.IGNORED
                : null;
    }

    private static boolean matches(Ignore ignore, Aggregate aggregate, Aggregate.Failure failure) {
        String submitter = ignore.submitter();
        Network network = ignore.network();
        String resultType = ignore.resultType();
        return !aggregate.window().isAfter(ignore.until())
                && (submitter == null || submitter.equalsIgnoreCase(aggregate.submitter()))
                && (resultType == null || resultType.equals(failure.resultType()))
                && (network == null || allIn(network, failure.receivingIps()));
    }

    /// Only the five addresses with most failed sessions are known: where one of them lies elsewhere, or none is known,
    /// the failure is judged.
    private static boolean allIn(Network network, @Nullable List<String> addresses) {
        return addresses != null && addresses.stream().allMatch(address -> in(network, address));
    }

    private static boolean in(Network network, String address) {
        try {
            return network.contains(InetAddress.ofLiteral(address));
        } catch (IllegalArgumentException notAnAddress) {
            return false;
        }
    }
}
