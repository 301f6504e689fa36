package io.tlsrpt.dkim;

import io.tlsrpt.dns.TxtAnswer;
import io.tlsrpt.dns.TxtLookup;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// DKIM keys, and a DNS in memory that publishes them.
public final class TestKeys implements TxtLookup {

    private static final Map<Integer, KeyPair> RSA = new ConcurrentHashMap<>();

    private final Map<String, TxtAnswer> answers = new ConcurrentHashMap<>();
    private final List<String> asked = new ArrayList<>();

    /// An RSA pair, made once per size and process.
    public static KeyPair rsa(int bits) {
        return RSA.computeIfAbsent(bits, size -> generated("RSA", size));
    }

    public static KeyPair ed25519() {
        return generated("Ed25519", 255);
    }

    /// The usual key record: `v=DKIM1; k=…; p=…`, RSA as SubjectPublicKeyInfo.
    public static String record(PublicKey key) {
        return "v=DKIM1; " + bareRecord(key);
    }

    /// `k=…; p=…`, to put other tags before.
    public static String bareRecord(PublicKey key) {
        return key.getAlgorithm().equals("RSA") ? "k=rsa; p=" + p(key) : "k=ed25519; p=" + p(key);
    }

    /// The usual key record as a zone file writes it, in strings of at most 255 bytes.
    public static String zoneText(PublicKey key) {
        return '"' + record(key).replaceAll("(.{255})(?=.)", "$1\" \"") + '"';
    }

    /// The value of `p=`.
    public static String p(PublicKey key) {
        byte[] encoded = key.getEncoded();
        return Base64.getEncoder()
                .encodeToString(
                        key.getAlgorithm().equals("RSA")
                                ? encoded
                                : Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
    }

    /// Publishes the usual record of a key.
    public TestKeys with(String domain, String selector, PublicKey key) {
        return with(domain, selector, record(key));
    }

    /// Publishes records as they stand.
    public TestKeys with(String domain, String selector, String... records) {
        return answering(
                domain,
                selector,
                new TxtAnswer.Found(Arrays.stream(records)
                        .map(text -> text.getBytes(StandardCharsets.UTF_8))
                        .toList()));
    }

    /// From now on the lookup of this key fails, as after SERVFAIL.
    public TestKeys failing(String domain, String selector) {
        return answering(domain, selector, new TxtAnswer.Failed("SERVFAIL"));
    }

    private TestKeys answering(String domain, String selector, TxtAnswer answer) {
        answers.put(selector + "._domainkey." + domain, answer);
        return this;
    }

    @Override
    public synchronized TxtAnswer txt(String name) {
        asked.add(name);
        return answers.getOrDefault(name, new TxtAnswer.None());
    }

    /// The names asked for, in order.
    public synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    private static KeyPair generated(String algorithm, int size) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(size);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
