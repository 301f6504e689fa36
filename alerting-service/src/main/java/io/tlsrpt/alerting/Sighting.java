package io.tlsrpt.alerting;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;

/// What a reporter saw of one domain on one day, in reports of one trust that came in time, beside what the others saw
/// there: whether it stands alone.
///
/// @param submitter cleaned
/// @param reporting whether it reported at all; false takes an earlier sighting back
/// @param sessions all that it reported
/// @param failing failed sessions by result type, registered ones only
/// @param agreed those of the types that another reporter saw there too
/// @param contradicted those that another reporter, with sessions under the same kind of policy, did not see, and
/// nobody
/// else saw
record Sighting(
        LocalDate day,
        String policyDomain,
        String submitter,
        boolean trusted,
        boolean reporting,
        long sessions,
        Map<String, Long> failing,
        List<String> agreed,
        List<String> contradicted) {

    Sighting takenBack() {
        return new Sighting(day, policyDomain, submitter, trusted, false, 0, Map.of(), List.of(), List.of());
    }
}
