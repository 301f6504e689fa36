package io.tlsrpt.dkim;

import io.tlsrpt.report.DomainName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a mail server of the operator's own found out about a mail and wrote into its head (RFC 8601), believed only
/// where the operator names that server: anybody can write such a field (RFC 8601 §7.1).
public final class AuthenticationResults {

    private static final String FIELD = "authentication-results:";
    private static final int MAX_HEAD = 256 * 1024;
    private static final int MAX_FIELD = 16 * 1024;

    private AuthenticationResults() {}

    /// @param verified our own verification, whose signatures stay
    /// @param trusted authserv-ids in any case
    /// @return with a passed signature for each `dkim=pass` of the topmost field by a trusted server; the server in
    /// front
    /// writes on top, what a stranger sent lies below
    public static DkimResult added(DkimResult verified, byte[] message, List<String> trusted) {
        List<String> ids =
                trusted.stream().map(id -> id.strip().toLowerCase(Locale.ROOT)).toList();
        List<String> head = fields(message);
        if (head.stream().filter(field -> starts(field, "content-type:")).count() > 1
                || verified.fromDomains().isEmpty()) {
            return verified; // which of them a reader believes is anybody's guess
        }
        return head.stream()
                .filter(field -> starts(field, FIELD))
                .map(field -> field.substring(FIELD.length()))
                .map(AuthenticationResults::elements)
                .filter(elements -> !elements.isEmpty() && ids.contains(authservId(elements.getFirst())))
                .findFirst()
                .map(elements -> with(verified, elements))
                .orElse(verified);
    }

    private static DkimResult with(DkimResult verified, List<String> elements) {
        String server = authservId(elements.getFirst());
        List<DkimResult.Signature> signatures = new ArrayList<>(verified.signatures());
        for (String element : elements.subList(1, elements.size())) {
            passedDomain(element)
                    .ifPresent(domain -> signatures.add(new DkimResult.Signature(
                            domain, "", DkimResult.Verdict.PASS, "as " + server + " found", List.of())));
        }
        return new DkimResult(signatures, verified.fromDomains());
    }

    private static String authservId(String element) {
        String[] words = element.strip().split("[ \t]+", 2);
        return unquoted(words[0]).toLowerCase(Locale.ROOT);
    }

    /// `d=` of `dkim=pass … header.d=example.com`, or the domain of `header.i=@example.com`.
    private static Optional<String> passedDomain(String element) {
        String text = element.strip().replaceAll("[ \t]*=[ \t]*", "=").replaceAll("[ \t]*/[ \t]*\\d+[ \t]*=", "=");
        String[] words = text.split("[ \t]+", -1);
        if (!words[0].equalsIgnoreCase("dkim=pass")) {
            return Optional.empty();
        }
        Optional<String> agent = Optional.empty();
        for (String word : words) {
            int equals = word.indexOf('=');
            String name = equals < 0 ? "" : word.substring(0, equals).toLowerCase(Locale.ROOT);
            String value = unquoted(word.substring(equals + 1));
            if (name.equals("header.d")) {
                return domain(value);
            }
            if (name.equals("header.i")) {
                agent = domain(value.substring(value.lastIndexOf('@') + 1));
            }
        }
        return agent;
    }

    private static Optional<String> domain(String text) {
        String canonical = DomainName.canonical(text);
        return DomainName.isName(canonical) ? Optional.of(canonical) : Optional.empty();
    }

    private static String unquoted(String word) {
        return word.length() >= 2 && word.startsWith("\"") && word.endsWith("\"")
                ? word.substring(1, word.length() - 1)
                : word;
    }

    /// Splits at `;` outside of quotes; comments are blanks (RFC 5322 §3.2.2).
    private static List<String> elements(String value) {
        List<String> elements = new ArrayList<>();
        StringBuilder element = new StringBuilder();
        int comments = 0;
        boolean quoted = false;
        for (int at = 0; at < value.length(); at++) {
            char character = value.charAt(at);
            if (character == '\\' && (quoted || comments > 0) && at + 1 < value.length()) {
                at++;
                if (comments == 0) {
                    element.append(value.charAt(at));
                }
            } else if (quoted) {
                quoted = character != '"';
                element.append(character == ' ' || character == '\t' ? '_' : character);
            } else if (character == '(') {
                comments++;
                element.append(' ');
            } else if (comments > 0) {
                comments -= character == ')' ? 1 : 0;
            } else if (character == ';') {
                elements.add(element.toString());
                element.setLength(0);
            } else {
                quoted = character == '"';
                element.append(character);
            }
        }
        elements.add(element.toString());
        return elements;
    }

    private static boolean starts(String field, String name) {
        return field.regionMatches(true, 0, name, 0, name.length());
    }

    /// The fields, unfolded, from the top.
    private static List<String> fields(byte[] message) {
        String head = new String(message, 0, Math.min(message.length, MAX_HEAD), StandardCharsets.ISO_8859_1);
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        for (int start = 0; start < head.length(); ) {
            int end = head.indexOf('\n', start);
            end = end < 0 ? head.length() : end;
            String line = head.substring(start, end);
            line = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            start = end + 1;
            boolean continues = line.startsWith(" ") || line.startsWith("\t");
            if (!continues) {
                finish(field, fields);
            }
            if (line.isEmpty()) {
                return fields;
            }
            if (field.length() < MAX_FIELD) {
                field.append(line);
            }
        }
        finish(field, fields);
        return fields;
    }

    private static void finish(StringBuilder field, List<String> fields) {
        fields.add(field.toString());
        field.setLength(0);
    }
}
