package io.tlsrpt.report;

import java.nio.CharBuffer;
import java.util.EnumSet;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/// Makes a report from the bytes of a document: strict where strictness protects, tolerant by name where real senders
/// deviate.
/// Total: every input gives a [Reading], none an exception. Stateless and safe for many threads.
///
/// Memory is bounded by a small multiple of the document, which the caller bounds ([Inflation]).
public final class ReportReader {

    private static final int MAX_DETAIL = 500;

    private final Limits limits;
    private final JsonFactory factory;

    public ReportReader(Limits limits) {
        this.limits = limits;
        this.factory = JsonFactory.builder()
                // A table of names would grow with what strangers send.
                .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                .streamReadConstraints(StreamReadConstraints.builder()
                        // Ours come first, with a reason; these only back them.
                        .maxNestingDepth(limits.maxDepth() + 1)
                        .maxStringLength(limits.maxStringBytes())
                        .maxNameLength(limits.maxStringBytes())
                        .maxNumberLength(limits.maxStringBytes())
                        .build())
                .build();
    }

    /// What a document may cost. Beyond a limit it is refused: `too-deep` (depth), `too-many-details` (policies,
    /// details) or `too-large` (strings, and besides: over 1,000 members in one object, over 500,000 elements in all
    /// `policy-string`s and `mx-host`s together).
    ///
    /// @param maxDepth nesting of objects and arrays
    /// @param maxPolicies elements of `policies`; each one rewrites a daily cell, which may be 256 KiB
    /// @param maxDetails elements of all `failure-details` together
    /// @param maxStringBytes UTF-8 bytes of one string of a known member, escapes resolved
    public record Limits(int maxDepth, int maxPolicies, int maxDetails, int maxStringBytes) {
        public static final Limits DEFAULT = new Limits(32, 1_000, 100_000, 64 * 1024);
    }

    /// @param document the document's bytes after un-gzip and un-MIME
    public Reading read(byte[] document) {
        if (DocumentText.isBlank(document)) {
            return refusal(RefusalReason.EMPTY, "the document is empty");
        }
        if (DocumentText.isWide(document)) {
            return refusal(RefusalReason.NOT_JSON, "the document is UTF-16 or UTF-32, RFC 7493 asks for UTF-8");
        }
        Set<Leniency> leniencies = EnumSet.noneOf(Leniency.class);
        CharBuffer text = DocumentText.decode(document, leniencies);
        try (JsonParser parser =
                factory.createParser(ObjectReadContext.empty(), text.array(), text.arrayOffset(), text.length())) {
            try {
                TlsReport report = new ReportParser(parser, factory, limits, leniencies).report();
                return new Reading.Read(report, leniencies);
            } catch (ReportParser.Refusal refusal) {
                return refusal(refusal.reason(), refusal.detail());
            } catch (JacksonException malformed) {
                return malformed(malformed, parser, text);
            }
        }
    }

    private Reading malformed(JacksonException fault, JsonParser parser, CharBuffer text) {
        TokenStreamLocation location = parser.currentLocation();
        String place = "at line " + location.getLineNr() + ", column " + location.getColumnNr() + ", in "
                + ReportParser.path(parser.streamReadContext());
        if (fault instanceof StreamConstraintsException) {
            return refusal(
                    RefusalReason.TOO_LARGE,
                    "a string, number or member name is over " + limits.maxStringBytes() + " bytes " + place);
        }
        char first = firstCharacter(text);
        boolean structure = first == '{' || first == '[';
        boolean atEnd = location.getCharOffset() >= text.length();
        if (structure && (fault instanceof UnexpectedEndOfInputException || atEnd)) {
            return refusal(RefusalReason.TRUNCATED, "the JSON ends in the middle, " + place);
        }
        return refusal(RefusalReason.NOT_JSON, "no JSON " + place);
    }

    private static char firstCharacter(CharBuffer text) {
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) > ' ') {
                return text.charAt(at);
            }
        }
        return ' ';
    }

    private static Reading refusal(RefusalReason reason, String detail) {
        return new Reading.Unreadable(reason, printable(detail));
    }

    /// Cut to 500 characters; control, format (bidi) and other invisible characters as `\\uXXXX`.
    private static String printable(String text) {
        StringBuilder out = new StringBuilder(Math.min(text.length(), MAX_DETAIL));
        for (int at = 0; at < text.length() && out.length() < MAX_DETAIL; at++) {
            char character = text.charAt(at);
            switch (Character.getType(character)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.PRIVATE_USE,
                        Character.UNASSIGNED -> out.append(String.format("\\u%04x", (int) character));
                default -> out.append(character);
            }
        }
        out.setLength(Math.min(out.length(), MAX_DETAIL));
        return out.toString();
    }
}
