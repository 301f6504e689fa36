package io.tlsrpt.report;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What "the same content" means: SHA-256 over a fixed, versioned serialisation of the report as read, so that white
/// space, member order and tolerated spellings do not matter. The order of policies and details does.
///
/// The serialisation is the concatenation of, in the order of the records' components: each text as `s`, its UTF-8
/// length in 4 bytes and its UTF-8 bytes; an absent text as `-`; each number as `n` and 8 bytes (times are seconds
/// since
/// 1970); each list as `l` and its size in 4 bytes before its elements. All numbers are big-endian. It starts with the
/// text `tlsrpt-content/1`.
public final class ContentDigest {

    private static final String VERSION = "tlsrpt-content/1";

    private final MessageDigest digest = sha256();
    private final ByteBuffer buffer = ByteBuffer.allocate(8 * 1024);

    private ContentDigest() {}

    /// @return 64 lower-case hex digits
    public static String sha256(TlsReport report) {
        ContentDigest content = new ContentDigest();
        content.text(VERSION);
        content.text(report.organizationName());
        content.text(report.contactInfo());
        content.text(report.reportId());
        content.number(report.dateRange().start().getEpochSecond());
        content.number(report.dateRange().end().getEpochSecond());
        content.size(report.policies());
        report.policies().forEach(content::entry);
        return content.hex();
    }

    /// @return 64 lower-case hex digits
    static String sha256(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private void entry(PolicyResult entry) {
        text(entry.policy().policyType());
        size(entry.policy().policyString());
        entry.policy().policyString().forEach(this::text);
        text(entry.policy().policyDomain());
        size(entry.policy().mxHost());
        entry.policy().mxHost().forEach(this::text);
        number(entry.totalSuccessfulSessionCount());
        number(entry.totalFailureSessionCount());
        size(entry.failureDetails());
        for (FailureDetail detail : entry.failureDetails()) {
            text(detail.resultType().word());
            text(detail.sendingMtaIp());
            text(detail.receivingMxHostname());
            text(detail.receivingMxHelo());
            text(detail.receivingIp());
            number(detail.failedSessionCount());
            text(detail.additionalInformation());
            text(detail.failureReasonCode());
        }
    }

    private void text(@Nullable String text) {
        if (text == null) {
            room(1).put((byte) '-');
            return;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        room(5).put((byte) 's').putInt(bytes.length);
        if (bytes.length <= buffer.remaining()) {
            buffer.put(bytes);
        } else {
            room(buffer.capacity());
            digest.update(bytes);
        }
    }

    private void number(long number) {
        room(9).put((byte) 'n').putLong(number);
    }

    private void size(List<?> list) {
        room(5).put((byte) 'l').putInt(list.size());
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            digest.update(buffer.flip());
            buffer.clear();
        }
        return buffer;
    }

    private String hex() {
        digest.update(buffer.flip());
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyPlatformHasIt) {
            throw new IllegalStateException(everyPlatformHasIt);
        }
    }
}
