package io.tlsrpt.report;

import java.net.IDN;
import java.util.Locale;

/// A domain name as it is compared everywhere: lower-case A-labels without a final dot (RFC 8460 §4.4, RFC 5890).
public final class DomainName {

    private static final int MAX_NAME = 253;
    private static final int MAX_LABEL = 63;
    private static final int MAX_TEXT = 255;

    private DomainName() {}

    /// The comparable spelling of a name; text that is no name comes back trimmed, in lower case, and cut to 255
    /// characters.
    public static String canonical(String text) {
        String name = text.strip();
        if (name.length() > 1 && name.charAt(name.length() - 1) == '.') {
            name = name.substring(0, name.length() - 1);
        }
        name = name.length() > MAX_TEXT ? cut(name) : name;
        name = isAscii(name) ? name : aLabels(name);
        return name.toLowerCase(Locale.ROOT);
    }

    /// Whether a canonical text is a name: labels of letters, digits, `-` and `_`, 1 to 63 characters each, 253 in all.
    public static boolean isName(String canonical) {
        int length = canonical.length();
        if (length == 0 || length > MAX_NAME) {
            return false;
        }
        int label = 0;
        for (int at = 0; at < length; at++) {
            char character = canonical.charAt(at);
            if (character == '.') {
                if (label == 0) {
                    return false;
                }
                label = 0;
            } else if ((character >= 'a' && character <= 'z')
                    || (character >= '0' && character <= '9')
                    || character == '-'
                    || character == '_') {
                if (++label > MAX_LABEL) {
                    return false;
                }
            } else {
                return false;
            }
        }
        return label > 0;
    }

    /// IDNA 2003 and 2008 disagree on ß, ς and the joiners: the names would belong to different owners, so such text is
    /// left as it is.
    private static String aLabels(String name) {
        for (int at = 0; at < name.length(); at++) {
            char character = name.charAt(at);
            if (character == 'ß' || character == 'ς' || character == '\u200c' || character == '\u200d') {
                return name;
            }
        }
        try {
            return IDN.toASCII(name);
        } catch (IllegalArgumentException noName) {
            return name;
        }
    }

    private static String cut(String text) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(MAX_TEXT - 1)) ? MAX_TEXT - 1 : MAX_TEXT);
    }

    static boolean isAscii(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) > 0x7f) {
                return false;
            }
        }
        return true;
    }
}
