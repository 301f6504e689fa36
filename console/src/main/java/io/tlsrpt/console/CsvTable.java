package io.tlsrpt.console;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// What the lists look like as CSV. The columns of each are fixed, whatever the data, and grow only at the end; members
/// of members are named with dots.
enum CsvTable {
    /// One line per domain. The totals are those of the headline trend, for sums over policy types or trust are none.
    DOMAINS("""
            domain configured state record policy-mode labels last-window last-received-at firing-alerts \
            worst-severity worst-failure-class trend.policy-type trend.trust trend.from \
            trend.total-successful-session-count trend.total-failure-session-count"""),
    /// For each cell a line of kind `summary` with its totals, then one of kind `failure` for each of its failures, so
    /// that no column can be added up twice.
    AGGREGATES("""
            kind window policy-domain policy-type policy-mode submitter authentication \
            total-successful-session-count total-failure-session-count report-count result-type failure-class \
            receiving-mx-hostname failed-session-count detail-count receiving-ips failure-reason-codes \
            first-received-at last-received-at latest-end-datetime backfill"""),
    /// One line per event.
    EVENTS("""
            kind event-id retraction result-type failure-class failed-session-count sending-mta-ip \
            receiving-mx-hostname receiving-mx-helo receiving-ip failure-reason-code additional-information \
            total-successful-session-count total-failure-session-count policy-domain policy-type policy-mode mx-host \
            submitter organization-name report-id start-datetime end-datetime authentication source received-at \
            backfill truncated"""),
    /// One line per policy entry of a report; a report without entries has one.
    REPORTS("""
            report-key revision submitter organization-name contact-info report-id start-datetime end-datetime \
            authentication source received-at backfill leniencies raw.partition raw.offset replaces policy-domains \
            entry.policy-domain entry.policy-type entry.policy-mode entry.total-successful-session-count \
            entry.total-failure-session-count"""),
    /// One line per submitter.
    REPORTERS("""
            submitter organization-name report-counts.dkim report-counts.operator report-counts.none \
            first-received-at last-received-at last-start-datetime delay domain-count days leniencies"""),
    /// One line per document or entry.
    REJECTED("""
            id partition offset at reason detail report-key source received-at remote authentication dkim-domain \
            submitter channel-domain message-id entry cut retry size preview"""),
    /// One line per alert.
    ALERTS("""
            alert-id incident-id state severity rule result-type policy-domain receiving-mx-hostname submitter \
            policy-type labels transition reopened opened-at updated-at resolved-at resolve-reason acknowledged.by \
            acknowledged.at acknowledged.text notes summary evidence.window evidence.branch \
            evidence.failed-session-count evidence.session-count evidence.baseline-failed \
            evidence.baseline-sessions evidence.probability evidence.submitters evidence.receiving-ips \
            evidence.failure-reason-codes evidence.affected-domains evidence.affected-domain-count evidence.live \
            help.meaning help.fix help.verify url runbook-url""");

    /// What the failures of a cell have of it.
    private static final List<String> OF_A_CELL =
            List.of("window", "policy-domain", "policy-type", "policy-mode", "submitter", "authentication");

    private final String columns;

    CsvTable(String columns) {
        this.columns = columns;
    }

    List<String> columns() {
        return Arrays.asList(columns.split(" ", -1));
    }

    private List<ObjectNode> lines(ObjectNode row) {
        return switch (this) {
            case DOMAINS -> domain(row);
            case AGGREGATES -> cell(row);
            case REPORTS -> entries(row);
            case EVENTS, REPORTERS, REJECTED, ALERTS -> List.of(row);
        };
    }

    String fileName() {
        return "tlsrpt-" + name().toLowerCase(Locale.ROOT) + ".csv";
    }

    void write(Page page, OutputStream out) throws IOException {
        List<String> names = columns();
        Csv.write(names.stream().<JsonNode>map(StringNode::valueOf).toList(), out);
        List<JsonPointer> columns = names.stream()
                .map(name -> JsonPointer.compile('/' + name.replace('.', '/')))
                .toList();
        for (byte[] row : page.rows()) {
            for (ObjectNode line : lines((ObjectNode) Json.MAPPER.readTree(row))) {
                Csv.write(columns.stream().map(line::at).toList(), out);
            }
        }
    }

    private static List<ObjectNode> domain(ObjectNode row) {
        if (row.path("trend") instanceof ObjectNode trend) {
            trend.put("total-successful-session-count", sum(trend.path("successful")));
            trend.put("total-failure-session-count", sum(trend.path("failed")));
        }
        return List.of(row);
    }

    private static List<ObjectNode> cell(ObjectNode row) {
        List<ObjectNode> lines = new ArrayList<>();
        lines.add(row.put("kind", "summary"));
        for (JsonNode failure : row.path("failures")) {
            ObjectNode line = Json.MAPPER.createObjectNode().put("kind", "failure");
            OF_A_CELL.forEach(name -> line.set(name, row.path(name)));
            line.setAll((ObjectNode) failure);
            String resultType = failure.path("result-type").asString("");
            lines.add(line.put(
                    "failure-class", new ResultType(resultType).failureClass().word()));
        }
        return lines;
    }

    private static List<ObjectNode> entries(ObjectNode row) {
        List<ObjectNode> lines = new ArrayList<>();
        for (JsonNode entry : row.path("entries")) { // up to a thousand: lines share what the row holds
            lines.add(Json.MAPPER.createObjectNode().setAll(row).set("entry", entry));
        }
        return lines.isEmpty() ? List.of(row) : lines;
    }

    private static long sum(JsonNode counts) {
        return counts.valueStream().mapToLong(JsonNode::longValue).sum();
    }
}
