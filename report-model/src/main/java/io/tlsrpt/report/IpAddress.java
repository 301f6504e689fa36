package io.tlsrpt.report;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The one spelling of an IP address (RFC 8460 §4.4: dotted IPv4, or IPv6 as RFC 5952 writes it). Never asks a
/// resolver.
final class IpAddress {

    private IpAddress() {}

    /// @return the address in its one spelling; null when the text is no address
    static @Nullable String canonical(String text) {
        if (text.length() > 45) {
            return null;
        }
        if (text.indexOf(':') < 0) {
            return v4(text) < 0 ? null : text;
        }
        int[] groups = v6(text);
        return groups == null ? null : format(groups);
    }

    /// The 32 bits of a dotted address without leading zeros; -1 when the text is none.
    private static long v4(String text) {
        long bits = 0;
        int at = 0;
        for (int part = 0; part < 4; part++) {
            if (part > 0 && (at >= text.length() || text.charAt(at++) != '.')) {
                return -1;
            }
            int start = at;
            int value = 0;
            while (at < text.length() && at - start < 3 && isDigit(text.charAt(at))) {
                value = value * 10 + text.charAt(at++) - '0';
            }
            if (at == start || value > 255 || (at - start > 1 && text.charAt(start) == '0')) {
                return -1;
            }
            bits = bits << 8 | value;
        }
        return at == text.length() ? bits : -1;
    }

    private static int @Nullable [] v6(String text) {
        int[] groups = new int[8];
        int count = 0;
        int gap = -1;
        int at = 0;
        if (text.startsWith("::")) {
            gap = 0;
            at = 2;
        }
        while (at < text.length()) {
            if (count == 8) {
                return null;
            }
            int stop = text.indexOf(':', at);
            String group = text.substring(at, stop < 0 ? text.length() : stop);
            if (stop < 0 && group.indexOf('.') >= 0) {
                long bits = v4(group);
                if (bits < 0 || count > 6) {
                    return null;
                }
                groups[count++] = (int) (bits >> 16);
                groups[count++] = (int) (bits & 0xffff);
                break;
            }
            int value = hex(group);
            if (value < 0) {
                return null;
            }
            groups[count++] = value;
            if (stop < 0) {
                break;
            }
            at = stop + 1;
            if (at == text.length()) {
                return null;
            }
            if (text.charAt(at) == ':') {
                if (gap >= 0) {
                    return null;
                }
                gap = count;
                at++;
            }
        }
        if (gap < 0) {
            return count == 8 ? groups : null;
        }
        if (count == 8) {
            return null;
        }
        int tail = count - gap;
        System.arraycopy(groups.clone(), gap, groups, 8 - tail, tail);
        Arrays.fill(groups, gap, 8 - tail, 0);
        return groups;
    }

    private static int hex(String group) {
        if (group.isEmpty() || group.length() > 4) {
            return -1;
        }
        int value = 0;
        for (int at = 0; at < group.length(); at++) {
            char character = group.charAt(at);
            int digit = character < 128 ? Character.digit(character, 16) : -1;
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /// RFC 5952 §4 and §5: lower case, no leading zeros, the first longest run of zeros as `::`, IPv4-mapped dotted.
    private static String format(int[] groups) {
        if (isMapped(groups)) {
            return "::ffff:" + (groups[6] >> 8) + "." + (groups[6] & 0xff) + "." + (groups[7] >> 8) + "."
                    + (groups[7] & 0xff);
        }
        int runStart = -1;
        int runLength = 1;
        for (int at = 0; at < 8; at++) {
            int end = at;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - at > runLength) {
                runStart = at;
                runLength = end - at;
            }
            at = Math.max(at, end - 1);
        }
        StringBuilder out = new StringBuilder(39);
        for (int at = 0; at < 8; at++) {
            if (at == runStart) {
                out.append("::");
                at += runLength - 1;
            } else {
                if (!out.isEmpty() && out.charAt(out.length() - 1) != ':') {
                    out.append(':');
                }
                out.append(Integer.toHexString(groups[at]));
            }
        }
        return out.toString();
    }

    private static boolean isMapped(int[] groups) {
        for (int at = 0; at < 5; at++) {
            if (groups[at] != 0) {
                return false;
            }
        }
        return groups[5] == 0xffff;
    }

    private static boolean isDigit(char character) {
        return character >= '0' && character <= '9';
    }
}
