package io.tlsrpt.cli;

import java.util.Locale;
import tools.jackson.databind.JsonNode;

/// Records as one line each, every text of theirs fit for a terminal.
final class Rendering {

    private Rendering() {}

    /// A member as text, `-` when there is none.
    static String text(JsonNode row, String member) {
        String text = row.path(member).asString("");
        return text.isEmpty() ? "-" : Terminal.shown(text);
    }

    static String count(JsonNode row, String member) {
        return String.format(Locale.ROOT, "%,d", row.path(member).asLong(0));
    }

    static String event(JsonNode event) {
        String what = event.path("kind").asString("").equals("summary")
                ? sessions(event)
                : text(event, "result-type") + " at " + text(event, "receiving-mx-hostname") + ", "
                        + count(event, "failed-session-count") + " sessions";
        return day(event, "start-datetime") + "  " + subject(event) + "  "
                + (event.path("retraction").asBoolean(false) ? "taken back: " : "") + what;
    }

    static String aggregate(JsonNode cell) {
        StringBuilder line = new StringBuilder(text(cell, "window") + "  " + subject(cell) + "  " + sessions(cell));
        String separator = "  (";
        for (JsonNode failure : cell.path("failures")) {
            line.append(separator)
                    .append(text(failure, "result-type"))
                    .append(' ')
                    .append(count(failure, "failed-session-count"));
            separator = ", ";
        }
        return line.append(cell.path("failures").isEmpty() ? "" : ")").toString();
    }

    static String alert(JsonNode alert, Terminal terminal) {
        return text(alert, "updated-at") + "  " + AlertById.shown(alert) + "  " + state(alert, terminal) + "  "
                + text(alert, "summary");
    }

    /// What state an alert is in, how bad it is, why it ended and who has taken it on.
    static String state(JsonNode alert, Terminal terminal) {
        boolean firing = alert.path("state").asString("").equals("firing");
        String state = text(alert, "state") + " " + text(alert, "severity");
        return (firing ? terminal.red(state) : state)
                + (alert.has("resolve-reason") ? " (" + text(alert, "resolve-reason") + ")" : "")
                + (alert.has("acknowledged") ? " [" + text(alert.path("acknowledged"), "by") + "]" : "");
    }

    static String verdict(JsonNode verdict, Terminal terminal) {
        String word = text(verdict, "verdict");
        boolean bad = word.equals("rejected") || word.equals("conflict");
        String why = verdict.has("reason") ? "  " + text(verdict, "reason") : "";
        String detail = verdict.has("detail") ? "  " + text(verdict, "detail") : "";
        return (bad ? terminal.red(word) : word) + "  " + text(verdict, "report-key") + why + detail;
    }

    /// A line of the import door: what became of a document.
    ///
    /// @param name of the document, fit for a terminal
    static String answer(JsonNode line, String name) {
        return line.path("verdict").asString("failed") + "  " + name
                + (line.has("reason") ? "  " + text(line, "reason") : "")
                + (line.has("detail") ? ": " + text(line, "detail") : "");
    }

    static String rejected(JsonNode rejected, Terminal terminal) {
        return text(rejected, "at") + "  " + terminal.red(text(rejected, "reason")) + "  " + text(rejected, "source")
                + "  " + text(rejected, "remote") + "  " + count(rejected, "size") + " bytes  "
                + text(rejected, "detail");
    }

    private static String subject(JsonNode row) {
        return text(row, "policy-domain") + " " + text(row, "policy-type") + "  " + text(row, "submitter") + " ["
                + text(row, "authentication") + "]";
    }

    private static String sessions(JsonNode row) {
        return count(row, "total-successful-session-count") + " successful, "
                + count(row, "total-failure-session-count") + " failed";
    }

    private static String day(JsonNode row, String member) {
        String time = text(row, member);
        return time.length() > 10 ? time.substring(0, 10) : time;
    }
}
