package io.tlsrpt.report;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// The elements of `policy-string` (RFC 8460 §4.4): lines of an STS policy, or TLSA records.
final class PolicyLines {

    /// Line ends, also escaped once too often; no STS policy value holds a semicolon (RFC 8461 §3.2).
    private static final Pattern STS_SEPARATOR = Pattern.compile("\\R|;|\\\\r\\\\n|\\\\n");

    private static final Pattern TLSA_SEPARATOR = Pattern.compile(";");
    private static final Pattern BLANKS = Pattern.compile("\\s+");

    private PolicyLines() {}

    /// A policy that came as one string: RFC 8460 §4 separates TLSA records by semicolons.
    static List<String> split(String policyType, String text) {
        Pattern separator = policyType.equals("tlsa") ? TLSA_SEPARATOR : STS_SEPARATOR;
        return separator
                .splitAsStream(text)
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
    }

    /// Single blanks between the fields of a record and none in its hexadecimal data, which print may fold.
    static List<String> tlsa(List<String> records) {
        List<String> out = new ArrayList<>(records.size());
        for (String record : records) {
            String[] fields = BLANKS.split(record.strip(), 4);
            if (fields.length == 4) {
                fields[3] = BLANKS.matcher(fields[3]).replaceAll("");
            }
            out.add(String.join(" ", fields));
        }
        return out;
    }

    /// The strings of a JSON array of strings; null when the text is anything else.
    static @Nullable List<String> decode(JsonFactory factory, String text) {
        List<String> elements = new ArrayList<>();
        try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                return null;
            }
            while (parser.nextToken() == JsonToken.VALUE_STRING) {
                if (!parser.getString().isBlank()) {
                    elements.add(parser.getString());
                }
            }
            return parser.currentToken() == JsonToken.END_ARRAY && parser.nextToken() == null ? elements : null;
        } catch (JacksonException noArray) {
            return null;
        }
    }
}
