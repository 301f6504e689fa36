package io.tlsrpt.alerting;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What the cells of a window show beyond the numbers: which domains, which servers, which reasons.
///
/// @param domains with most failed sessions first, at most 100
/// @param domainCount how many there are in all
/// @param receivingIps of most failed sessions first, at most five
/// @param failureReasonCodes likewise
record Scene(List<String> domains, int domainCount, List<String> receivingIps, List<String> failureReasonCodes) {

    static final class Collector {

        private static final int MOST_TEXTS = 1_000;
        private static final int MOST_DOMAINS = 100;
        private static final int TOP = 5;

        private final Map<String, Long> domains = new HashMap<>();
        private final Map<String, Long> receivingIps = new HashMap<>();
        private final Map<String, Long> failureReasonCodes = new HashMap<>();

        void add(String domain, MxCell.Failed failed) {
            domains.merge(domain, failed.sessions(), Long::sum);
            failed.receivingIps().forEach(text -> count(receivingIps, text, failed.sessions()));
            failed.failureReasonCodes().forEach(text -> count(failureReasonCodes, text, failed.sessions()));
        }

        Scene scene() {
            return new Scene(
                    top(domains, MOST_DOMAINS), domains.size(), top(receivingIps, TOP), top(failureReasonCodes, TOP));
        }

        private static void count(Map<String, Long> counts, String text, long sessions) {
            if (counts.size() < MOST_TEXTS || counts.containsKey(text)) {
                counts.merge(text, sessions, Long::sum);
            }
        }

        private static List<String> top(Map<String, Long> counts, int most) {
            return counts.entrySet().stream()
                    .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                            .thenComparing(Map.Entry.comparingByKey()))
                    .limit(most)
                    .map(Map.Entry::getKey)
                    .toList();
        }
    }
}
