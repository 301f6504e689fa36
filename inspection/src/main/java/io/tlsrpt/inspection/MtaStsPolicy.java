package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// An MTA-STS policy (RFC 8461 §3.2).
///
/// @param mode `enforce`, `testing` or `none`
/// @param maxAge in seconds
/// @param mx patterns as written, in their order, in lower case
/// @param warnings what other readers may stumble over
record MtaStsPolicy(String mode, long maxAge, List<String> mx, Set<Warning> warnings) {

    static final String ENFORCE = "enforce";
    static final String TESTING = "testing";
    static final String NONE = "none";

    private static final long LONGEST = 31_557_600;
    private static final int MOST_PATTERNS = 1_000;
    private static final Pattern LINE = Pattern.compile("([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*?)[ \t]*");
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern MAX_AGE = Pattern.compile("[0-9]{1,10}");

    MtaStsPolicy {
        mx = List.copyOf(mx);
        warnings = Collections.unmodifiableSet(
                warnings.isEmpty() ? EnumSet.noneOf(Warning.class) : EnumSet.copyOf(warnings));
    }

    /// What a policy's text amounts to.
    sealed interface Reading {
        record Valid(MtaStsPolicy policy) implements Reading {}

        /// @param why for people
        record Invalid(String why) implements Reading {}
    }

    /// What is against the letter, and still read by most.
    enum Warning {
        BLANK_LINE("a blank line: the grammar has none"),
        REPEATED_FIELD("a field stands twice: only the first counts"),
        FINAL_DOT("an mx pattern ends with a dot");

        private final String words;

        Warning(String words) {
            this.words = words;
        }

        /// For people.
        String words() {
            return words;
        }
    }

    /// Reads a policy; whether it came as text/plain is not asked here.
    static Reading of(byte[] body) {
        String text;
        try {
            text = UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException notUtf8) {
            return new Reading.Invalid("not UTF-8");
        }
        List<String> lines = new ArrayList<>(List.of(text.split("\r?\n", -1)));
        if (lines.getLast().isEmpty()) {
            lines.removeLast();
        }
        Set<Warning> warnings = EnumSet.noneOf(Warning.class);
        Map<String, String> fields = new HashMap<>();
        List<String> mx = new ArrayList<>();
        for (String line : lines) {
            if (line.isBlank()) {
                warnings.add(Warning.BLANK_LINE);
                continue;
            }
            var matcher = LINE.matcher(line);
            if (!matcher.matches() || hasControl(matcher.group(2))) {
                return new Reading.Invalid("not a line of a policy: \"" + Untrusted.shown(line) + "\"");
            }
            String key = matcher.group(1);
            String value = matcher.group(2);
            if (key.equals("mx")) {
                mx.add(value);
            } else if (fields.putIfAbsent(key, value) != null) {
                warnings.add(Warning.REPEATED_FIELD);
            }
        }
        return judged(fields, mx, warnings);
    }

    private static Reading judged(Map<String, String> fields, List<String> mx, Set<Warning> warnings) {
        String version = fields.get("version");
        if (!"STSv1".equals(version)) {
            return invalid("version", "STSv1", version);
        }
        String mode = fields.get("mode");
        if (mode == null || !List.of(ENFORCE, TESTING, NONE).contains(mode)) {
            return invalid("mode", "enforce, testing or none", mode);
        }
        String age = fields.get("max_age");
        if (age == null || !MAX_AGE.matcher(age).matches() || Long.parseLong(age) > LONGEST) {
            return invalid("max_age", "whole seconds, at most " + LONGEST, age);
        }
        if (mx.isEmpty() && !mode.equals(NONE)) {
            return invalid("mx", "at least one", null);
        }
        if (mx.size() > MOST_PATTERNS) {
            return new Reading.Invalid("more than " + MOST_PATTERNS + " mx lines");
        }
        List<String> patterns = new ArrayList<>();
        for (String written : mx) {
            String pattern = asciiLowerCase(written);
            if (pattern.endsWith(".")) {
                warnings.add(Warning.FINAL_DOT);
                pattern = pattern.substring(0, pattern.length() - 1);
            }
            if (!isPattern(pattern)) {
                return invalid("mx", "a host name in A-labels, or *. before a domain", written);
            }
            patterns.add(pattern);
        }
        return new Reading.Valid(new MtaStsPolicy(mode, Long.parseLong(age), patterns, warnings));
    }

    private static Reading invalid(String field, String wanted, @Nullable String found) {
        return new Reading.Invalid(
                found == null
                        ? field + ": is missing (" + wanted + ")"
                        : field + ": must be " + wanted + ", found \"" + Untrusted.shown(found) + "\"");
    }

    private static boolean isPattern(String pattern) {
        String domain = pattern.startsWith("*.") ? pattern.substring(2) : pattern;
        if (domain.length() > 253) {
            return false;
        }
        for (String label : domain.split("\\.", -1)) {
            if (!LABEL.matcher(label).matches()) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasControl(String value) {
        return value.chars().anyMatch(Character::isISOControl);
    }

    private static String asciiLowerCase(String text) {
        StringBuilder lower = new StringBuilder(text.length());
        text.chars().forEach(c -> lower.append((char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)));
        return lower.toString();
    }

    /// Whether senders treat the host as one of the policy's.
    ///
    /// @param host canonical
    boolean covers(String host) {
        return mx.stream().anyMatch(pattern -> matches(pattern, host));
    }

    /// Whether a pattern matches: `*` stands for exactly one label, the left-most (RFC 8461 §4.1). Both canonical.
    static boolean matches(String pattern, String host) {
        if (!pattern.startsWith("*.")) {
            return pattern.equals(host);
        }
        int dot = host.indexOf('.');
        return dot > 0 && host.substring(dot + 1).equals(pattern.substring(2));
    }
}
