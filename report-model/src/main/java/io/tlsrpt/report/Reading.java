package io.tlsrpt.report;

import java.util.Set;

/// What [ReportReader] made of a document.
public sealed interface Reading {

    /// The document is a report, perhaps with tolerated deviations.
    record Read(TlsReport report, Set<Leniency> leniencies) implements Reading {
        public Read {
            leniencies = Set.copyOf(leniencies);
        }
    }

    /// The document is no report that can be counted.
    ///
    /// @param detail for people: what was expected and where (a JSON path or line and column); at most 500 characters,
    /// control characters escaped, never the document's own body
    record Unreadable(RefusalReason reason, String detail) implements Reading {}
}
