package io.tlsrpt.console;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// How far a domain has come with its reports.
enum DomainState {
    /// Discovered, and waits for somebody to accept it.
    PENDING,
    /// No report, and the last look found no TLSRPT record.
    RECORD_MISSING,
    /// No report yet: the record was first seen less than two days ago.
    PUBLISHED,
    /// No report.
    WAITING,
    /// Reports of one day.
    FIRST_REPORT,
    /// Reports of more days.
    REGULAR;

    static final List<String> WORDS =
            Arrays.stream(values()).map(DomainState::word).toList();

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
