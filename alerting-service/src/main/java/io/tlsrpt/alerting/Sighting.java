package io.tlsrpt.alerting;

import java.time.LocalDate;
import java.util.List;

/// What a reporter saw of one domain on one day, beside what the others saw there: whether it stands alone.
///
/// @param reporting whether it reported at all; false takes an earlier sighting back
/// @param failing result types with failures of its own
/// @param agreed those of them that another reporter saw there too
record Sighting(
        LocalDate day,
        String policyDomain,
        String submitter,
        boolean trusted,
        boolean fresh,
        boolean reporting,
        List<String> failing,
        List<String> agreed) {}
