package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// All that reporters said in time about one domain on one day: at most 300 trusted cells and 100 others, which never
/// take the place of a trusted one.
record DomainDay(List<Seen> cells) {

    static final DomainDay EMPTY = new DomainDay(List.of());

    private static final int MOST_TRUSTED = 300;
    private static final int MOST_UNTRUSTED = 100;

    /// One aggregate.
    ///
    /// @param failing failed sessions by registered result type
    record Seen(
            String submitter,
            String authentication,
            String policyType,
            long sessions,
            Map<String, Long> failing,
            Instant arrivedAt) {

        @JsonIgnore
        boolean trusted() {
            return MxCell.trusted(authentication);
        }

        private boolean sameCell(String other, String otherAuthentication, String otherPolicyType) {
            return submitter.equals(other)
                    && authentication.equals(otherAuthentication)
                    && policyType.equals(otherPolicyType);
        }
    }

    /// A submitter by its trusted reports, or by the others: strangers may use its name.
    record Who(String submitter, boolean trusted) implements Comparable<Who> {
        @Override
        public int compareTo(Who other) {
            int bySubmitter = submitter.compareTo(other.submitter);
            return bySubmitter != 0 ? bySubmitter : Boolean.compare(trusted, other.trusted);
        }
    }

    DomainDay with(Seen seen) {
        List<Seen> changed = new ArrayList<>(cells);
        for (int i = 0; i < changed.size(); i++) {
            if (changed.get(i).sameCell(seen.submitter, seen.authentication, seen.policyType)) {
                changed.set(i, seen);
                return new DomainDay(changed);
            }
        }
        long alike =
                cells.stream().filter(each -> each.trusted() == seen.trusted()).count();
        if (alike >= (seen.trusted() ? MOST_TRUSTED : MOST_UNTRUSTED)) {
            return this;
        }
        changed.add(seen);
        return new DomainDay(changed);
    }

    DomainDay without(String submitter, String authentication, String policyType) {
        return new DomainDay(cells.stream()
                .filter(each -> !each.sameCell(submitter, authentication, policyType))
                .toList());
    }

    /// When the first report of this reporter about this day came.
    Optional<Instant> arrival(Who who) {
        return cells.stream()
                .filter(each -> each.submitter.equals(who.submitter) && each.trusted() == who.trusted)
                .map(Seen::arrivedAt)
                .min(Instant::compareTo);
    }

    Map<Who, Sighting> sightings(String domain, LocalDate day) {
        Map<Who, List<Seen>> byReporter = new TreeMap<>();
        cells.forEach(seen -> byReporter
                .computeIfAbsent(new Who(seen.submitter, seen.trusted()), absent -> new ArrayList<>())
                .add(seen));
        Map<Who, Sighting> sightings = new TreeMap<>();
        byReporter.forEach((who, own) -> sightings.put(who, sighting(domain, day, who, own)));
        return sightings;
    }

    /// Policy types describe the same sessions, so the largest number of each kind counts.
    private Sighting sighting(String domain, LocalDate day, Who who, List<Seen> own) {
        long sessions = 0;
        Map<String, Long> failing = new TreeMap<>();
        for (Seen seen : own) {
            sessions = Math.max(sessions, seen.sessions);
            seen.failing.forEach((type, failed) -> failing.merge(type, failed, Math::max));
        }
        List<String> agreed = new ArrayList<>();
        List<String> contradicted = new ArrayList<>();
        for (String type : failing.keySet()) {
            boolean looked = false;
            boolean saw = false;
            for (Seen other : cells) {
                if (!other.submitter.equals(who.submitter) && (other.trusted() || !who.trusted)) {
                    saw |= other.failing.containsKey(type);
                    looked |= other.sessions > 0
                            && own.stream()
                                    .anyMatch(seen ->
                                            seen.failing.containsKey(type) && seen.policyType.equals(other.policyType));
                }
            }
            if (saw) {
                agreed.add(type);
            } else if (looked) {
                contradicted.add(type);
            }
        }
        return new Sighting(day, domain, who.submitter, who.trusted, true, sessions, failing, agreed, contradicted);
    }
}
