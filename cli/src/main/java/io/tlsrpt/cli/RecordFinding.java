package io.tlsrpt.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.tlsrpt.dns.RecordToPublish;
import io.tlsrpt.dns.Rua;
import io.tlsrpt.dns.TlsRptRecord;
import io.tlsrpt.dns.TlsRptRecord.Absence;
import io.tlsrpt.dns.TlsRptRecord.Published;
import io.tlsrpt.dns.TxtAnswer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// What is published for a domain, held against what shall be. Texts of DNS are as found, not fit for a terminal.
///
/// @param why for people
/// @param found what DNS holds that needs to be seen, one text for each TXT record
/// @param at index in the only text found where its fault is; -1 when there is none
/// @param warnings what is allowed there and still unwise
/// @param next what to do
record RecordFinding(State state, String why, List<String> found, int at, List<String> warnings, List<String> next) {

    private static final int SHOWN_RECORDS = 5;

    /// In one word.
    enum State {
        AS_WANTED,
        ABSENT,
        OTHER_ADDRESSES,
        INVALID,
        DNS_TROUBLE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    static RecordFinding of(RecordToPublish wanted, TxtAnswer answer) {
        return switch (answer) {
            case TxtAnswer.Failed failed ->
                new RecordFinding(
                        State.DNS_TROUBLE,
                        failed.why(),
                        List.of(),
                        -1,
                        List.of(),
                        List.of(
                                "nothing is known about the record: ask again later, or another resolver with --server"));
            case TxtAnswer.None none -> judged(wanted, List.of());
            case TxtAnswer.Found found -> judged(wanted, found.records());
        };
    }

    private static RecordFinding judged(RecordToPublish wanted, List<byte[]> records) {
        return switch (TlsRptRecord.of(records)) {
            case Published.None none -> absent(none.why(), records);
            case Published.Invalid invalid ->
                new RecordFinding(
                        State.INVALID,
                        invalid.why().words(),
                        List.of(invalid.text()),
                        invalid.at(),
                        List.of(),
                        List.of("replace it by the record to publish"));
            case Published.Valid valid -> compared(wanted, valid.record());
        };
    }

    private static RecordFinding absent(Absence why, List<byte[]> records) {
        String next = switch (why) {
            case NO_TXT_RECORD -> "publish the record; resolvers may not notice for an hour";
            case NO_TLSRPT_RECORD -> "publish the record; what stands there now means nothing to senders";
            case SEVERAL_RECORDS -> "leave only the record to publish: with several, senders see none";
        };
        List<String> found = records.stream()
                .limit(SHOWN_RECORDS)
                .map(bytes -> new String(bytes, ISO_8859_1))
                .toList();
        return new RecordFinding(State.ABSENT, why.words(), found, -1, List.of(), List.of(next));
    }

    private static RecordFinding compared(RecordToPublish wanted, TlsRptRecord published) {
        List<String> warnings =
                published.warnings().stream().map(TlsRptRecord.Warning::words).toList();
        if (wanted.isAskedForBy(published)) {
            return new RecordFinding(State.AS_WANTED, "as wanted", List.of(published.text()), -1, warnings, List.of());
        }
        List<String> next = new ArrayList<>();
        for (Rua rua : wanted.rua()) {
            if (published.rua().stream().noneMatch(rua::sameAs)) {
                next.add("add " + rua.text());
            }
        }
        for (Rua rua : published.rua()) {
            if (wanted.rua().stream().noneMatch(rua::sameAs)) {
                next.add("reports go to " + rua.text() + " too: remove it unless you know whose it is");
            }
        }
        if (next.isEmpty()) {
            next.add("publish the addresses in the order wanted, each once: Microsoft sends to the first only");
        }
        return new RecordFinding(
                State.OTHER_ADDRESSES, "other addresses than wanted", List.of(published.text()), -1, warnings, next);
    }

    /// As members of a JSON object.
    void writeTo(ObjectNode json) {
        json.put("state", state.toString()).put("why", why);
        if (at >= 0) {
            json.put("at", at);
        }
        for (Map.Entry<String, List<String>> texts :
                List.of(Map.entry("found", found), Map.entry("warnings", warnings), Map.entry("next", next))) {
            texts.getValue().forEach(json.putArray(texts.getKey())::add);
        }
    }
}
