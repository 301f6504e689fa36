package io.tlsrpt.dkim;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Signs a mail with DKIM, written with strings and regular expressions and apart from the verifier, so that one checks
/// the
/// other.
public final class TestDkimSigner {

    private TestDkimSigner() {}

    /// The mail with a DKIM-Signature field on top: relaxed/relaxed, `h=` from:to:subject:date:message-id unless told
    /// otherwise.
    ///
    /// @param extraTags tags to add or to put in place of ours; an empty value leaves the tag out. What they claim is
    /// obeyed
    ///                  where it can be (`c`, `h`) and only claimed otherwise (`l`, `x`, `bh`, …)
    public static byte[] sign(
            byte[] message, PrivateKey key, String domain, String selector, Map<String, String> extraTags) {
        String text = new String(message, StandardCharsets.ISO_8859_1);
        String lineBreak = text.contains("\r\n") ? "\r\n" : "\n";
        String normal = text.replaceAll("\r?\n", "\r\n");
        int blank = normal.startsWith("\r\n") ? 0 : normal.indexOf("\r\n\r\n") + 2;
        String header = blank == 1 ? normal : normal.substring(0, blank);
        String body = blank == 1 ? "" : normal.substring(blank + 2);

        Map<String, String> tags = new LinkedHashMap<>();
        tags.put("v", "1");
        tags.put("a", key.getAlgorithm().equals("RSA") ? "rsa-sha256" : "ed25519-sha256");
        tags.put("c", "relaxed/relaxed");
        tags.put("d", domain);
        tags.put("s", selector);
        tags.put("h", "from:to:subject:date:message-id");
        tags.put("bh", "");
        extraTags.forEach(tags::put);
        String[] c =
                (tags.getOrDefault("c", "").isEmpty() ? "simple/simple" : tags.getOrDefault("c", "")).split("/", -1);
        boolean relaxedHeader = c[0].equals("relaxed");
        boolean relaxedBody = c.length > 1 && c[1].equals("relaxed");
        if (!extraTags.containsKey("bh")) {
            tags.put("bh", Base64.getEncoder().encodeToString(sha256(canonicalBody(body, relaxedBody))));
        }
        StringBuilder unsigned = new StringBuilder("DKIM-Signature:");
        tags.forEach((name, value) -> {
            if (!value.isEmpty()) {
                unsigned.append(' ')
                        .append(name)
                        .append('=')
                        .append(utf8(value))
                        .append(";\r\n");
            }
        });
        unsigned.append(" b=");

        List<String> fields = new ArrayList<>(List.of(header.split("\r\n(?![ \t])")));
        StringBuilder hashed = new StringBuilder();
        for (String name : tags.getOrDefault("h", "").split(":", -1)) {
            for (int at = fields.size() - 1; at >= 0; at--) {
                String field = fields.get(at);
                int colon = field.indexOf(':');
                if (colon > 0 && field.substring(0, colon).strip().equalsIgnoreCase(name.strip())) {
                    hashed.append(canonicalField(field.replaceAll("\r\n$", ""), relaxedHeader))
                            .append("\r\n");
                    fields.remove(at);
                    break;
                }
            }
        }
        hashed.append(canonicalField(unsigned.toString(), relaxedHeader));
        String b = Base64.getEncoder().encodeToString(signature(hashed.toString(), key));
        String field = unsigned + b.replaceAll("(.{70})", "$1\r\n  ") + "\r\n";
        return (field.replace("\r\n", lineBreak) + text).getBytes(StandardCharsets.ISO_8859_1);
    }

    /// The same without extra tags.
    public static byte[] sign(byte[] message, PrivateKey key, String domain, String selector) {
        return sign(message, key, domain, selector, Map.of());
    }

    private static byte[] signature(String hashed, PrivateKey key) {
        try {
            boolean rsa = key.getAlgorithm().equals("RSA");
            Signature signer = Signature.getInstance(rsa ? "SHA256withRSA" : "Ed25519");
            signer.initSign(key);
            signer.update(rsa ? hashed.getBytes(StandardCharsets.ISO_8859_1) : sha256(hashed));
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String canonicalField(String field, boolean relaxed) {
        if (!relaxed) {
            return field;
        }
        int colon = field.indexOf(':');
        String value = field.substring(colon + 1).replace("\r\n", "").replaceAll("[ \t]+", " ");
        return field.substring(0, colon).toLowerCase(Locale.ROOT).replaceAll("[ \t]+$", "") + ":"
                + value.replaceAll("^ | $", "");
    }

    private static String canonicalBody(String body, boolean relaxed) {
        String text = body;
        if (relaxed) {
            text = text.replaceAll("[ \t]+", " ").replaceAll(" (?=\r\n|$)", "");
        }
        while (text.endsWith("\r\n")) {
            text = text.substring(0, text.length() - 2);
        }
        return text.isEmpty() && relaxed ? "" : text + "\r\n";
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String utf8(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
