package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tlsrpt.topics.Inspection;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.jspecify.annotations.Nullable;

/// What a live look at a domain showed, of one subject.
///
/// @param mx the MX host that this part is about; absent: the part about the domain itself
/// @param inspection with that one MX and the findings about it, or with the domain's own alone
@JsonInclude(JsonInclude.Include.NON_NULL)
record Look(@Nullable String mx, Inspection inspection) {

    /// The parts, each with its subject.
    static List<KeyValue<String, Clue>> split(Inspection whole) {
        List<Inspection.Finding> findings = whole.findings() == null ? List.of() : whole.findings();
        List<KeyValue<String, Clue>> parts = new ArrayList<>();
        Clue domain = Clue.of(new Look(
                null,
                new Inspection(
                        whole.policyDomain(),
                        whole.inspectedAt(),
                        whole.trigger(),
                        whole.port25(),
                        whole.mail(),
                        whole.tlsRpt(),
                        whole.mtaSts(),
                        null,
                        findings.stream()
                                .filter(finding ->
                                        finding.mx() == null || finding.area().equals("mta-sts"))
                                .toList())));
        parts.add(KeyValue.pair(Subject.domain(whole.policyDomain()), domain));
        // where reports about its policy are judged
        parts.add(KeyValue.pair(MxName.nameless(whole.policyDomain()), domain));
        for (Inspection.Mx mx : whole.mx() == null ? List.<Inspection.Mx>of() : whole.mx()) {
            parts.add(KeyValue.pair(
                    mx.host(),
                    Clue.of(new Look(
                            mx.host(),
                            new Inspection(
                                    whole.policyDomain(),
                                    whole.inspectedAt(),
                                    whole.trigger(),
                                    whole.port25(),
                                    whole.mail(),
                                    null,
                                    whole.mtaSts(),
                                    List.of(mx),
                                    findings.stream()
                                            .filter(finding -> mx.host().equals(finding.mx()))
                                            .toList())))));
        }
        return parts;
    }
}
