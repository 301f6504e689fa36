package io.tlsrpt.dkim;

import io.tlsrpt.report.DomainName;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The domains of a From field (RFC 5322 §3.6.2). Display names, comments and quoted local parts may hold what looks
/// like an
/// address: they are skipped, not searched.
final class FromField {

    /// One author is usual, a few are legal; thousands are an attack on whoever compares them with each signature.
    private static final int MOST_DOMAINS = 20;

    private static final int MOST_BYTES = 64 * 1024;

    private FromField() {}

    /// The canonical domains of all mailboxes; empty when one of them cannot be read, for then nobody knows who wrote.
    static List<String> domains(byte[] mail, Header.Field field) {
        if (field.end() - field.colon() > MOST_BYTES) {
            return List.of();
        }
        String value = new String(mail, field.colon() + 1, field.end() - field.colon() - 1, StandardCharsets.UTF_8);
        Set<String> domains = new LinkedHashSet<>();
        StringBuilder mailbox = new StringBuilder();
        StringBuilder angle = new StringBuilder();
        boolean quoted = false;
        boolean inAngle = false;
        boolean angleSeen = false;
        int comment = 0;
        for (int at = 0; at <= value.length(); at++) {
            char c = at == value.length() ? ',' : value.charAt(at);
            boolean end = at == value.length();
            if (end && (quoted || comment > 0 || inAngle)) {
                return List.of();
            } else if (c == '\\' && (quoted || comment > 0)) {
                at++;
            } else if (quoted) {
                quoted = c != '"';
            } else if (c == '(' || comment > 0) {
                comment += c == '(' ? 1 : c == ')' ? -1 : 0;
            } else if (c == '"') {
                quoted = true;
                (inAngle ? angle : mailbox).append('q');
            } else if (c == '<') {
                if (inAngle || angleSeen) {
                    return List.of();
                }
                inAngle = true;
                angleSeen = true;
            } else if (c == '>') {
                if (!inAngle) {
                    return List.of();
                }
                inAngle = false;
            } else if (inAngle) {
                angle.append(c);
            } else if (c != ',') {
                mailbox.append(c);
            } else {
                String address = (angleSeen ? angle : mailbox).toString().strip();
                if (address.isEmpty() && !angleSeen) { // RFC 5322 §4.4: lists may hold empty elements
                    continue;
                }
                String domain = DomainName.canonical(address.substring(address.indexOf('@') + 1));
                if (address.indexOf('@') < 1 || !DomainName.isName(domain)) {
                    return List.of();
                }
                domains.add(domain);
                if (domains.size() > MOST_DOMAINS) {
                    return List.of();
                }
                mailbox.setLength(0);
                angle.setLength(0);
                angleSeen = false;
            }
        }
        return quoted || comment > 0 || inAngle ? List.of() : List.copyOf(domains);
    }
}
