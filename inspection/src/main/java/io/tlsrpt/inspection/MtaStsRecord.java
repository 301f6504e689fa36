package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The MTA-STS record: that a policy exists, and which instance of it (RFC 8461 §3.1).
final class MtaStsRecord {

    private static final String VERSION = "v=STSv1";

    /// One that stands alone may have blanks before its first semicolon: grammar and prose disagree (erratum 6285).
    private static final Pattern LONE = Pattern.compile(VERSION + "[ \t]*(;.*)?", Pattern.DOTALL);

    private static final Pattern DELIMITER = Pattern.compile("[ \t]*;[ \t]*");
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9]{1,32}");
    private static final Pattern EXTENSION =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\\x21-\\x3a\\x3c\\x3e-\\x7e]+");

    private MtaStsRecord() {}

    /// What the TXT records of `_mta-sts.<domain>` amount to.
    sealed interface Published {
        record Valid(String id) implements Published {}

        record Missing() implements Published {}

        /// Senders see no policy.
        ///
        /// @param why for people
        record Invalid(String why) implements Published {}
    }

    /// The name whose TXT records count; never that of a parent domain (RFC 8461 §3.4).
    static String name(String domain) {
        return "_mta-sts." + domain;
    }

    /// Judges the TXT records of a name.
    ///
    /// @param txtRecords the joined character-strings of each
    static Published of(List<byte[]> txtRecords) {
        List<String> texts =
                txtRecords.stream().map(bytes -> new String(bytes, ISO_8859_1)).toList();
        List<String> ours = texts.size() == 1
                ? texts.stream().filter(text -> LONE.matcher(text).matches()).toList()
                : texts.stream().filter(text -> text.startsWith(VERSION + ";")).toList();
        if (ours.isEmpty()) {
            return new Published.Missing();
        }
        if (ours.size() > 1) {
            return new Published.Invalid("several TXT records begin with v=STSv1; and there may be one only");
        }
        return parsed(ours.getFirst());
    }

    private static Published parsed(String text) {
        List<String> fields = new ArrayList<>(List.of(DELIMITER.split(text, -1)));
        fields.removeFirst();
        if (!fields.isEmpty() && fields.getLast().isEmpty()) {
            fields.removeLast();
        }
        String id = null;
        for (String field : fields) {
            if (field.startsWith("id=")) {
                // a field that stands twice: the first counts (RFC 8461 §3.2)
                if (id == null) {
                    id = field.substring("id=".length());
                }
            } else if (!EXTENSION.matcher(field).matches()) {
                return new Published.Invalid(
                        field.isEmpty()
                                ? "there is nothing between two semicolons"
                                : "not a field: \"" + Untrusted.shown(field) + "\"");
            }
        }
        String fault = fault(id);
        return fault == null && id != null ? new Published.Valid(id) : new Published.Invalid(String.valueOf(fault));
    }

    private static @Nullable String fault(@Nullable String id) {
        if (id == null) {
            return "id= is missing (in lower case)";
        }
        return ID.matcher(id).matches()
                ? null
                : "an id is 1 to 32 letters and digits, found \"" + Untrusted.shown(id) + "\"";
    }
}
