package io.tlsrpt.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.tlsrpt.report.DomainName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A TLSRPT record: where the reports about a domain are to be sent (RFC 8460 §3).
///
/// @param text as published, one character for each byte
/// @param rua every address in the order written, those of a repeated `rua=` too
/// @param extensions what else stands there, in the order written; it means nothing to us
/// @param warnings what other readers may stumble over
public record TlsRptRecord(String text, List<Rua> rua, List<Extension> extensions, Set<Warning> warnings) {

    private static final String VERSION = "v=TLSRPTv1";
    private static final Pattern LONE = Pattern.compile(VERSION + "[ \t]*(;.*)?", Pattern.DOTALL);
    private static final Pattern EXTENSION_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,31}");
    private static final Pattern EXTENSION_VALUE = Pattern.compile("[\\x21-\\x3a\\x3c\\x3e-\\x7e]+");

    public TlsRptRecord {
        rua = List.copyOf(rua);
        extensions = List.copyOf(extensions);
        warnings = Collections.unmodifiableSet(
                warnings.isEmpty() ? EnumSet.noneOf(Warning.class) : EnumSet.copyOf(warnings));
    }

    /// A field that RFC 8460 does not know; readers ignore it.
    public record Extension(String name, String value) {}

    /// What the TXT records of `_smtp._tls.<domain>` amount to.
    public sealed interface Published {

        /// Reports are wanted. Whether any can be sent: see [Rua#usable].
        record Valid(TlsRptRecord record) implements Published {}

        /// The domain does not take part.
        record None(Absence why) implements Published {}

        /// The domain means to take part, but the record breaks the grammar: expect no reports.
        ///
        /// @param text as published, one character for each byte
        /// @param at index of the character that breaks it, the length when something is missing at the end
        record Invalid(Fault why, int at, String text) implements Published {}
    }

    /// Why a domain counts as one without a record.
    public enum Absence {
        NO_TXT_RECORD("there is no TXT record"),
        NO_TLSRPT_RECORD("no TXT record begins with v=TLSRPTv1;"),
        SEVERAL_RECORDS("several TXT records begin with v=TLSRPTv1; and there may be one only");

        private final String words;

        Absence(String words) {
            this.words = words;
        }

        /// For people.
        public String words() {
            return words;
        }
    }

    /// What breaks the grammar.
    public enum Fault {
        NO_FIELD("rua= is missing"),
        EMPTY_FIELD("there is nothing between two semicolons"),
        NO_RUA("rua= is missing"),
        RUA_NOT_LOWER_CASE("rua must be written in lower case"),
        NO_EQUALS_SIGN("a field must be name=value"),
        BLANK_AT_EQUALS_SIGN("no blank may stand beside ="),
        EXTENSION_NAME("a field's name is 1 to 32 letters, digits, _ - . and begins with a letter or digit"),
        EXTENSION_VALUE("a field's value is visible ASCII without = and ;"),
        EMPTY_URI("an address is missing"),
        NO_SCHEME("an address begins with mailto: or https:"),
        EXCLAMATION_MARK("! must be written %21 (there is no size limit as in DMARC)"),
        URI_CHARACTER("this may not stand in an address; write it percent-encoded");

        private final String words;

        Fault(String words) {
            this.words = words;
        }

        /// For people.
        public String words() {
            return words;
        }
    }

    /// What is allowed and still unwise.
    public enum Warning {
        BLANK_BEFORE_FIRST_SEMICOLON("a blank after v=TLSRPTv1: some senders then see no record"),
        BLANK_AT_END("a blank at the end: the grammar has none there"),
        RUA_NOT_SECOND("rua= is not the second field: some senders want it there"),
        REPEATED_RUA("rua= stands twice: some senders read only one of them"),
        URI_CUT_BY_SEMICOLON("a semicolon ends an https address: if it belongs to it, write %3B"),
        UNUSABLE_RUA("an address that no report can be sent to: only mailto: and https: work"),
        NO_USABLE_RUA("no address that reports can be sent to: expect none");

        private final String words;

        Warning(String words) {
            this.words = words;
        }

        /// For people.
        public String words() {
            return words;
        }
    }

    /// The name whose TXT records count; never that of a parent domain.
    public static String name(String domain) {
        return "_smtp._tls." + DomainName.canonical(domain);
    }

    /// Judges the TXT records of a name.
    ///
    /// @param txtRecords the joined character-strings of each
    public static Published of(List<byte[]> txtRecords) {
        List<String> texts =
                txtRecords.stream().map(bytes -> new String(bytes, ISO_8859_1)).toList();
        if (texts.isEmpty()) {
            return new Published.None(Absence.NO_TXT_RECORD);
        }
        // Prose and grammar disagree about a blank before the first semicolon: a lone record may have one.
        List<String> ours = texts.size() == 1
                ? texts.stream().filter(text -> LONE.matcher(text).matches()).toList()
                : texts.stream().filter(text -> text.startsWith(VERSION + ";")).toList();
        return switch (ours.size()) {
            case 0 -> new Published.None(Absence.NO_TLSRPT_RECORD);
            case 1 -> new Reader(ours.getFirst()).read();
            default -> new Published.None(Absence.SEVERAL_RECORDS);
        };
    }

    /// Reads one record that begins with the version.
    private static final class Reader {

        private final String text;
        private final List<Rua> rua = new ArrayList<>();
        private final List<Extension> extensions = new ArrayList<>();
        private final Set<Warning> warnings = EnumSet.noneOf(Warning.class);
        private int ruaFields;
        private Published.@Nullable Invalid invalid;

        Reader(String text) {
            this.text = text;
        }

        Published read() {
            int semicolon = text.indexOf(';');
            if (semicolon < 0) {
                return new Published.Invalid(Fault.NO_FIELD, text.length(), text);
            }
            if (semicolon > VERSION.length()) {
                warnings.add(Warning.BLANK_BEFORE_FIRST_SEMICOLON);
            }
            for (int start = semicolon + 1; start <= text.length() && invalid == null; ) {
                int next = text.indexOf(';', start);
                field(start, next < 0 ? text.length() : next, next < 0);
                start = (next < 0 ? text.length() : next) + 1;
            }
            if (invalid != null) {
                return invalid;
            }
            if (ruaFields == 0) {
                int capitals = extensions.stream()
                        .filter(extension -> extension.name().equalsIgnoreCase("rua"))
                        .mapToInt(extension -> text.indexOf(extension.name() + "="))
                        .findFirst()
                        .orElse(-1);
                return capitals < 0
                        ? new Published.Invalid(Fault.NO_RUA, text.length(), text)
                        : new Published.Invalid(Fault.RUA_NOT_LOWER_CASE, capitals, text);
            }
            if (rua.stream().noneMatch(Rua::usable)) {
                warnings.add(Warning.NO_USABLE_RUA);
            }
            return new Published.Valid(new TlsRptRecord(text, rua, extensions, warnings));
        }

        private void field(int from, int to, boolean last) {
            int start = afterBlanks(from, to);
            int end = beforeBlanks(start, to);
            if (start == end) {
                if (ruaFields + extensions.size() == 0 && last) {
                    fault(Fault.NO_FIELD, to);
                } else if (!last) {
                    fault(Fault.EMPTY_FIELD, to);
                }
                return;
            }
            if (last && end < to) {
                warnings.add(Warning.BLANK_AT_END);
            }
            int equals = text.indexOf('=', start);
            if (equals < 0 || equals >= end) {
                fault(Fault.NO_EQUALS_SIGN, end);
            } else if ((equals > start && blank(equals - 1)) || (equals + 1 < end && blank(equals + 1))) {
                fault(Fault.BLANK_AT_EQUALS_SIGN, equals);
            } else if (text.startsWith("rua=", start)) {
                rua(equals + 1, end);
            } else {
                extension(start, equals, end, start == from);
            }
        }

        private void rua(int from, int end) {
            ruaFields++;
            if (ruaFields > 1) {
                warnings.add(Warning.REPEATED_RUA);
            } else if (!extensions.isEmpty()) {
                warnings.add(Warning.RUA_NOT_SECOND);
            }
            for (int start = from; start <= end && invalid == null; ) {
                int comma = text.indexOf(',', start);
                int stop = comma < 0 || comma > end ? end : comma;
                uri(afterBlanks(start, stop), stop);
                start = stop + 1;
            }
        }

        private void uri(int start, int stop) {
            String uri = text.substring(start, beforeBlanks(start, stop));
            if (uri.isEmpty()) {
                fault(Fault.EMPTY_URI, stop);
                return;
            }
            if (Rua.schemeOf(uri) == null) {
                fault(Fault.NO_SCHEME, start);
                return;
            }
            int malformed = Rua.malformedAt(uri);
            if (malformed >= 0) {
                fault(uri.charAt(malformed) == '!' ? Fault.EXCLAMATION_MARK : Fault.URI_CHARACTER, start + malformed);
                return;
            }
            Rua address = Rua.written(uri);
            if (!address.usable()) {
                warnings.add(Warning.UNUSABLE_RUA);
            }
            rua.add(address);
        }

        private void extension(int start, int equals, int end, boolean rightAfter) {
            String name = text.substring(start, equals);
            String value = text.substring(equals + 1, end);
            if (!EXTENSION_NAME.matcher(name).matches()) {
                fault(Fault.EXTENSION_NAME, start);
            } else if (!EXTENSION_VALUE.matcher(value).matches()) {
                fault(Fault.EXTENSION_VALUE, equals + 1);
            } else {
                boolean afterHttps = !rua.isEmpty()
                        && extensions.isEmpty()
                        && rua.getLast().scheme().equals("https");
                if (rightAfter && afterHttps) {
                    warnings.add(Warning.URI_CUT_BY_SEMICOLON);
                }
                extensions.add(new Extension(name, value));
            }
        }

        private void fault(Fault why, int at) {
            invalid = new Published.Invalid(why, at, text);
        }

        private int afterBlanks(int from, int to) {
            int at = from;
            while (at < to && blank(at)) {
                at++;
            }
            return at;
        }

        private int beforeBlanks(int from, int to) {
            int at = to;
            while (at > from && blank(at - 1)) {
                at--;
            }
            return at;
        }

        private boolean blank(int at) {
            return text.charAt(at) == ' ' || text.charAt(at) == '\t';
        }
    }
}
