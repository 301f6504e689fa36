package io.tlsrpt.alerting;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The cells of all domains behind one MX on one day, added up by policy type and submitter. Cells are added and taken
/// away one by one, so that judging an MX with 10,000 domains costs no more than judging one with one.
///
/// @param domains up to three domains that trusted reports named in failures at this MX on this day
record MxDay(List<Share> shares, List<String> domains) {

    static final MxDay EMPTY = new MxDay(List.of(), List.of());

    /// Submitters beyond these on one day at one MX are counted as one.
    private static final int MOST_TRUSTED = 200;

    private static final int MOST_UNTRUSTED = 20;
    private static final String ALL_OTHERS = "*";
    private static final int MOST_DOMAINS = 3;

    /// Part of one submitter's sessions.
    ///
    /// @param failed by result type
    record Share(
            String policyType,
            String submitter,
            boolean trusted,
            boolean fresh,
            long sessions,
            long successes,
            Map<String, Failed> failed) {

        boolean takes(MxCell cell, String slot) {
            return submitter.equals(slot)
                    && policyType.equals(cell.policyType())
                    && trusted == cell.trusted()
                    && fresh == cell.fresh();
        }

        Failed failed(String resultType) {
            return failed.getOrDefault(resultType, Failed.NONE);
        }

        /// Sessions of the cells that have no such failure.
        long clean(String resultType) {
            return sessions - failed(resultType).among();
        }
    }

    /// @param sessions that failed
    /// @param enforced those under an enforced policy
    /// @param among all sessions of the cells that had such failures
    record Failed(long sessions, long enforced, long among) {

        static final Failed NONE = new Failed(0, 0, 0);

        Failed plus(Failed other) {
            return new Failed(sessions + other.sessions, enforced + other.enforced, among + other.among);
        }
    }

    /// Under which name the submitter of this cell is counted here.
    String slot(MxCell cell) {
        Set<String> submitters = new HashSet<>();
        for (Share share : shares) {
            if (share.trusted() == cell.trusted()) {
                submitters.add(share.submitter());
            }
        }
        boolean room = submitters.size() < (cell.trusted() ? MOST_TRUSTED : MOST_UNTRUSTED);
        return room || submitters.contains(cell.submitter()) ? cell.submitter() : ALL_OTHERS;
    }

    MxDay plus(MxCell cell, String slot) {
        List<String> named = domains;
        if (cell.trusted()
                && !cell.failures().isEmpty()
                && domains.size() < MOST_DOMAINS
                && !domains.contains(cell.policyDomain())) {
            named = new ArrayList<>(domains);
            named.add(cell.policyDomain());
        }
        return new MxDay(with(cell, slot, 1), named);
    }

    MxDay minus(MxCell cell, String slot) {
        return new MxDay(with(cell, slot, -1), domains);
    }

    /// The same, naming this domain no longer.
    MxDay naming(String notThis) {
        return new MxDay(
                shares,
                domains.stream().filter(domain -> !domain.equals(notThis)).toList());
    }

    /// Result types with failures that came in time to be judged.
    Set<String> freshTypes() {
        Set<String> types = new TreeSet<>();
        for (Share share : shares) {
            if (share.fresh()) {
                types.addAll(share.failed().keySet());
            }
        }
        return types;
    }

    private List<Share> with(MxCell cell, String slot, int sign) {
        List<Share> changed = new ArrayList<>(shares);
        Share before = new Share(cell.policyType(), slot, cell.trusted(), cell.fresh(), 0, 0, Map.of());
        for (Share share : shares) {
            if (share.takes(cell, slot)) {
                before = share;
                changed.remove(share);
                break;
            }
        }
        Map<String, Failed> failed = new TreeMap<>(before.failed());
        cell.failures().forEach((type, some) -> {
            Failed delta = new Failed(
                    sign * some.sessions(), cell.enforced() ? sign * some.sessions() : 0, sign * cell.sessions());
            Failed sum = before(failed, type).plus(delta);
            if (sum.sessions() > 0) {
                failed.put(type, sum);
            } else {
                failed.remove(type);
            }
        });
        long sessions = before.sessions() + sign * cell.sessions();
        if (sessions > 0) {
            changed.add(new Share(
                    before.policyType(),
                    slot,
                    before.trusted(),
                    before.fresh(),
                    sessions,
                    Math.max(0, before.successes() + sign * cell.successes()),
                    failed));
        }
        return changed;
    }

    private static Failed before(Map<String, Failed> failed, String type) {
        return failed.getOrDefault(type, Failed.NONE);
    }
}
