package io.tlsrpt.report;

import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Identity of a report, from the document alone:
/// `<submitter>|<report-id>|<start-datetime, UTC, seconds>|<its policy-domains, sorted, distinct, joined by ",">`.
/// RFC 8460's report-id is unique only inside its author, and in practice not even there.
///
/// Percent-encoded in each part: `%`, `|`, `,`, `/`, `#`, `?`, space, control and non-ASCII bytes of its UTF-8. A part
/// that is over 255 bytes then is replaced by `sha256:` and the hex SHA-256 of it. So a key has at most 1 KiB.
public final class ReportKey {

    private static final int MAX_PART = 255;
    private static final String ENCODED = "%|,/#? ";
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private ReportKey() {}

    /// @param channelDomain the domain that the channel stands for: the last part is `@<channel-domain>` where no entry
    /// names a domain, and `@` alone where the channel stands for none either
    public static String of(TlsReport report, @Nullable String channelDomain) {
        return part(report.submitter()) + "|"
                + part(report.reportId()) + "|"
                + report.dateRange().start().truncatedTo(ChronoUnit.SECONDS) + "|"
                + domains(report.policyDomains(), channelDomain);
    }

    /// The domains that a key tells, the channel's where no entry named one; none where there were so many that it
    /// holds
    /// their hash.
    public static List<String> policyDomains(String reportKey) {
        String part = reportKey.substring(reportKey.lastIndexOf('|') + 1);
        if (part.startsWith("sha256:")) {
            return List.of();
        }
        return Arrays.stream((part.startsWith("@") ? part.substring(1) : part).split(",", -1))
                .map(ReportKey::decoded)
                .filter(domain -> !domain.isEmpty())
                .toList();
    }

    private static String decoded(String encoded) {
        byte[] bytes = encoded.getBytes(StandardCharsets.UTF_8);
        int length = 0;
        for (int at = 0; at < bytes.length; at++) {
            int high = bytes[at] == '%' && at + 2 < bytes.length ? Character.digit(bytes[at + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(bytes[at + 2], 16);
            bytes[length++] = low < 0 ? bytes[at] : (byte) (high << 4 | low);
            at += low < 0 ? 0 : 2;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    private static String domains(List<String> policyDomains, @Nullable String channelDomain) {
        if (policyDomains.isEmpty()) {
            return part("@" + (channelDomain == null ? "" : channelDomain));
        }
        return bounded(policyDomains.stream().map(ReportKey::encoded).collect(Collectors.joining(",")));
    }

    private static String part(String text) {
        return bounded(encoded(text));
    }

    private static String bounded(String encoded) {
        return encoded.length() <= MAX_PART ? encoded : "sha256:" + ContentDigest.sha256(encoded);
    }

    private static String encoded(String text) {
        StringBuilder out = new StringBuilder(text.length() + 8);
        for (byte signed : text.getBytes(StandardCharsets.UTF_8)) {
            int value = signed & 0xff;
            if (value <= ' ' || value >= 0x7f || ENCODED.indexOf(value) >= 0) {
                out.append('%').append(HEX[value >> 4]).append(HEX[value & 0xf]);
            } else {
                out.append((char) value);
            }
        }
        return out.toString();
    }
}
