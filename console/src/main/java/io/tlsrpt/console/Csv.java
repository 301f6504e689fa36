package io.tlsrpt.console;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.StringJoiner;
import tools.jackson.databind.JsonNode;

/// Records as CSV (RFC 4180) that a spreadsheet can open although strangers wrote what is in it.
///
/// No text can become a formula: what begins like one gets an apostrophe in front, also behind white space that a
/// program may take away, and behind each semicolon, which is the separator where the comma is the decimal one.
/// Control, bidi and other invisible characters are written as `\u202e`, so a record is always one line. Numbers stay
/// numbers.
final class Csv {

    static final String MEDIA_TYPE = "text/csv; charset=utf-8; header=present";

    /// As they are, full-width and small, and the minus sign.
    private static final String BEGINS_A_FORMULA = "=+-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u2212";

    private Csv() {}

    /// Writes one record.
    ///
    /// @param cells a missing one is left empty
    static void write(List<JsonNode> cells, OutputStream out) throws IOException {
        StringJoiner line = new StringJoiner(",", "", "\r\n");
        cells.forEach(cell -> line.add(quoted(cell.isNumber() ? cell.asString() : safe(text(cell)))));
        out.write(line.toString().getBytes(StandardCharsets.UTF_8));
    }

    /// Of a list its elements, of an object `name:value`, both between semicolons; what lies deeper is JSON.
    private static String text(JsonNode value) {
        StringJoiner parts = new StringJoiner("; ");
        if (value.isArray()) {
            value.forEach(element -> parts.add(scalar(element)));
        } else if (value.isObject()) {
            value.properties().forEach(member -> parts.add(member.getKey() + ':' + scalar(member.getValue())));
        } else {
            return scalar(value);
        }
        return parts.toString();
    }

    private static String scalar(JsonNode value) {
        return value.isContainer() ? value.toString() : value.asString("");
    }

    private static String safe(String text) {
        StringBuilder safe = new StringBuilder(text.length() + 8);
        if (mayBeginAFormula(text, 0)) {
            safe.append('\'');
        }
        int at = 0;
        while (at < text.length()) {
            int character = text.codePointAt(at);
            at += Character.charCount(character);
            if (isVisible(character)) {
                safe.appendCodePoint(character);
            } else {
                safe.append((character > 0xFFFF ? "\\U%08x" : "\\u%04x").formatted(character));
            }
            if (character == ';' && mayBeginAFormula(text, at)) {
                safe.append('\'');
            }
        }
        return safe.toString();
    }

    private static boolean mayBeginAFormula(String text, int from) {
        int at = from;
        while (at < text.length()) {
            int character = text.codePointAt(at);
            if (character == '\t' || character == '\r' || BEGINS_A_FORMULA.indexOf(character) >= 0) {
                return true;
            }
            if (isVisible(character) && !Character.isSpaceChar(character)) {
                return false;
            }
            at += Character.charCount(character);
        }
        return false;
    }

    private static boolean isVisible(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }

    private static String quoted(String cell) {
        return cell.chars().anyMatch(character -> ",;\"' ".indexOf(character) >= 0)
                ? '"' + cell.replace("\"", "\"\"") + '"'
                : cell;
    }
}
