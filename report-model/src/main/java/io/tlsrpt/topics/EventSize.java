package io.tlsrpt.topics;

import io.tlsrpt.report.FailureDetail;
import io.tlsrpt.report.Policy;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.TlsReport;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How large events may be: where their text is cut, and what a report flattens to at most.
/// With these limits no event is over 256 KiB even when every character has to be escaped.
public final class EventSize {

    /// UTF-8 bytes of one text member of an event.
    public static final int MAX_TEXT_BYTES = 1024;

    /// Elements of `mx-host`.
    public static final int MAX_MX_HOSTS = 100;

    /// UTF-8 bytes of one element of `mx-host`: more than any name has (RFC 1035 §2.3.4).
    public static final int MAX_MX_HOST_BYTES = 255;

    /// UTF-8 bytes of `source`, a word of intake's.
    public static final int MAX_SOURCE_BYTES = 16;

    /// Bytes of a report-key; a raw record with a longer key is none of ours.
    public static final int MAX_REPORT_KEY_BYTES = 4096;

    /// Bytes that the events of one report may take together; a larger one is refused as `too-many-details`.
    public static final long MAX_REPORT_BYTES = 64L * 1024 * 1024;

    /// What every event has: braces, kind, retraction, times, authentication, source, backfill, mode, `truncated`.
    private static final int FRAME = 400;

    /// `event-id` with its numbers, without the report-key.
    private static final int EVENT_ID = 64;

    /// failure-class and failed-session-count.
    private static final int FAILURE = 80;

    /// The two totals.
    private static final int SUMMARY = 120;

    /// `policy-domain` where the channel's domain stands in for one that the entry does not name.
    private static final int CHANNEL_DOMAIN_BYTES = 280;

    private EventSize() {}

    /// Upper bound in bytes of all events that the report flattens to; `Long.MAX_VALUE` instead of an overflow.
    /// Costs one look at each character that is kept.
    public static long upperBound(TlsReport report) {
        return upperBound(report, ReportKey.of(report, null));
    }

    /// As [#upperBound(TlsReport)] for a report that travels under this key.
    public static long upperBound(TlsReport report, String reportKey) {
        long shared = FRAME
                + EVENT_ID
                + jsonBytes(reportKey, MAX_REPORT_KEY_BYTES)
                + (report.policyDomains().isEmpty() ? CHANNEL_DOMAIN_BYTES : 0)
                + member("submitter", report.submitter())
                + member("organization-name", report.organizationName())
                + member("report-id", report.reportId());
        long sum = 0;
        for (PolicyResult entry : report.policies()) {
            long each = shared + policyBytes(entry.policy());
            sum = plus(sum, each + SUMMARY);
            for (FailureDetail detail : entry.failureDetails()) {
                sum = plus(sum, each + FAILURE + detailBytes(detail));
            }
        }
        return sum;
    }

    private static long policyBytes(Policy policy) {
        String domain = policy.policyDomain();
        long sum = (domain == null ? CHANNEL_DOMAIN_BYTES : member("policy-domain", domain))
                + member("policy-type", policy.policyType())
                + 2L * "\"mx-host\":[],".length();
        List<String> mxHosts = policy.mxHost();
        for (int i = 0; i < Math.min(mxHosts.size(), MAX_MX_HOSTS); i++) {
            sum += jsonBytes(mxHosts.get(i), MAX_MX_HOST_BYTES) + 1;
        }
        return sum;
    }

    private static long detailBytes(FailureDetail detail) {
        return member("result-type", detail.resultType().word())
                + member("sending-mta-ip", detail.sendingMtaIp())
                + member("receiving-mx-hostname", detail.receivingMxHostname())
                + member("receiving-mx-helo", detail.receivingMxHelo())
                + member("receiving-ip", detail.receivingIp())
                + member("failure-reason-code", detail.failureReasonCode())
                + member("additional-information", detail.additionalInformation());
    }

    /// `"name":"text",` and the name once more in `truncated` when the text is cut.
    private static long member(String name, @Nullable String text) {
        if (text == null) {
            return 0;
        }
        long frame = name.length() + 4L;
        return frame + jsonBytes(text, MAX_TEXT_BYTES) + (text.length() > MAX_TEXT_BYTES / 3 ? frame : 0);
    }

    private static long plus(long sum, long more) {
        return more > Long.MAX_VALUE - sum ? Long.MAX_VALUE : sum + more;
    }

    /// Bytes of the text as a JSON string, quotes included, after it was cut.
    public static int jsonBytes(String text, int maxBytes) {
        int kept = 0;
        int bytes = 2;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int utf8 = utf8Bytes(text, i);
            if (utf8 > maxBytes - kept) {
                break;
            }
            kept += utf8;
            bytes += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : utf8;
            if (utf8 == 4) {
                i++;
            }
        }
        return bytes;
    }

    /// The longest beginning of the text that has at most so many UTF-8 bytes and splits no character.
    /// A lone surrogate, which no encoder can write, becomes U+FFFD.
    ///
    /// @return the same object when nothing had to change
    public static String cut(String text, int maxBytes) {
        int kept = 0;
        int end = 0;
        boolean lone = false;
        while (end < text.length()) {
            int utf8 = utf8Bytes(text, end);
            if (utf8 > maxBytes - kept) {
                break;
            }
            lone |= utf8 == 3 && Character.isSurrogate(text.charAt(end));
            kept += utf8;
            end += utf8 == 4 ? 2 : 1;
        }
        String head = end == text.length() ? text : text.substring(0, end);
        return lone ? withoutLoneSurrogates(head) : head;
    }

    private static String withoutLoneSurrogates(String text) {
        StringBuilder whole = new StringBuilder(text.length());
        text.codePoints()
                .forEach(c -> whole.appendCodePoint(
                        c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c));
        return whole.toString();
    }

    /// UTF-8 bytes of the character at `i`: four for a surrogate pair, three for a lone surrogate (as U+FFFD).
    private static int utf8Bytes(String text, int i) {
        char c = text.charAt(i);
        if (c < 0x80) {
            return 1;
        }
        if (c < 0x800) {
            return 2;
        }
        boolean pair =
                Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1));
        return pair ? 4 : 3;
    }
}
