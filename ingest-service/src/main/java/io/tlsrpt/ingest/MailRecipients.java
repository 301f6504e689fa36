package io.tlsrpt.ingest;

import io.tlsrpt.report.DomainName;
import io.tlsrpt.runtime.Settings;
import java.net.URI;
import java.text.Normalizer;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whose mail is taken: the configured recipients, or the `mailto:` addresses of `rua`; when there are none of either,
/// everybody's, which the settings allow on loopback only.
///
/// Upper and lower case are the same, and so are U-labels and A-labels. `reports+anything@example.com` is
/// `reports@example.com` unless it is configured itself; the longest match wins, `@example.com` last.
final class MailRecipients {

    /// A recipient whose mail is taken.
    ///
    /// @param channelDomain the domain it stands for
    record Taken(@Nullable String channelDomain) {}

    private static final Taken ANYBODY = new Taken(null);

    private final Map<String, Taken> byAddress = new HashMap<>();

    MailRecipients(List<Settings.Mail.Recipient> configured, List<String> rua) {
        for (Settings.Mail.Recipient recipient : configured) {
            byAddress.putIfAbsent(canonical(recipient.address()), new Taken(recipient.channelDomain()));
        }
        if (configured.isEmpty()) {
            for (String uri : rua) {
                URI parsed = URI.create(uri);
                if ("mailto".equals(parsed.getScheme())) {
                    byAddress.putIfAbsent(canonical(parsed.getSchemeSpecificPart()), ANYBODY);
                }
            }
        }
    }

    /// @param address as the peer wrote it, without the angle brackets
    /// @return null when the mail is somebody else's
    @Nullable
    Taken find(String address) {
        if (byAddress.isEmpty()) {
            return ANYBODY;
        }
        String canonical = canonical(address);
        int at = canonical.lastIndexOf('@');
        if (at < 0) {
            return null;
        }
        Taken exact = byAddress.get(canonical);
        if (exact != null) {
            return exact;
        }
        String domain = canonical.substring(at);
        int plus = canonical.indexOf('+');
        if (plus > 0 && plus < at) {
            Taken untagged = byAddress.get(canonical.substring(0, plus) + domain);
            if (untagged != null) {
                return untagged;
            }
        }
        return byAddress.get(domain);
    }

    private static String canonical(String address) {
        int at = address.lastIndexOf('@');
        if (at < 0) {
            return address;
        }
        String local = address.substring(0, at);
        if (local.length() > 2 && local.startsWith("\"") && local.endsWith("\"")) {
            local = local.substring(1, local.length() - 1);
        }
        return Normalizer.normalize(local, Normalizer.Form.NFC).toLowerCase(Locale.ROOT)
                + "@"
                + DomainName.canonical(address.substring(at + 1));
    }
}
