package io.tlsrpt.inspection;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// An authority that signs whatever certificate a test needs, also such as no real one would sign.
public final class TestAuthority {

    /// Before and after every time that a test may have.
    public static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

    public static final Instant FAR_AWAY = Instant.parse("2049-01-01T00:00:00Z");

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final AtomicLong SERIAL = new AtomicLong(1);

    private final String name;
    private final KeyPair keys;
    private final List<X509Certificate> chain;

    private TestAuthority(String name, KeyPair keys, List<X509Certificate> chain) {
        this.name = name;
        this.keys = keys;
        this.chain = chain;
    }

    /// A root of its own.
    public static TestAuthority root(String name) {
        KeyPair keys = keys();
        TestAuthority unsigned = new TestAuthority(name, keys, List.of());
        X509Certificate root = unsigned.sign(name, keys, LONG_AGO, FAR_AWAY, List.of(authority()));
        return new TestAuthority(name, keys, List.of(root));
    }

    /// One that this one has signed.
    public TestAuthority intermediate(String intermediate) {
        KeyPair theirs = keys();
        List<X509Certificate> longer = new ArrayList<>();
        longer.add(sign(intermediate, theirs, LONG_AGO, FAR_AWAY, List.of(authority())));
        longer.addAll(chain);
        return new TestAuthority(intermediate, theirs, longer);
    }

    /// Its own certificate.
    public X509Certificate certificate() {
        return chain.getFirst();
    }

    /// Begins a certificate of a server.
    ///
    /// @param dnsIds the names in its subjectAltName; none: it has no such extension
    public Request server(String... dnsIds) {
        return new Request(dnsIds);
    }

    /// A certificate to be.
    public final class Request {

        private final List<String> dnsIds;
        private String commonName = "server";
        private Instant notBefore = LONG_AGO;
        private Instant notAfter = FAR_AWAY;
        private @Nullable String keyUsage;

        private Request(String... dnsIds) {
            this.dnsIds = List.of(dnsIds);
        }

        public Request commonName(String text) {
            commonName = text;
            return this;
        }

        public Request from(Instant start) {
            notBefore = start;
            return this;
        }

        public Request until(Instant end) {
            notAfter = end;
            return this;
        }

        /// @param oid what it may be used for, and nothing else
        public Request onlyFor(String oid) {
            keyUsage = oid;
            return this;
        }

        public Issued issue() {
            KeyPair theirs = keys();
            List<byte[]> extensions = new ArrayList<>();
            if (!dnsIds.isEmpty()) {
                byte[] names = der(
                        0x30,
                        dnsIds.stream()
                                .map(id -> der(0x82, id.getBytes(StandardCharsets.ISO_8859_1)))
                                .toArray(byte[][]::new));
                extensions.add(der(0x30, oid("2.5.29.17"), der(0x04, names)));
            }
            if (keyUsage != null) {
                extensions.add(der(0x30, oid("2.5.29.37"), der(0x04, der(0x30, oid(keyUsage)))));
            }
            List<X509Certificate> whole = new ArrayList<>();
            whole.add(sign(commonName, theirs, notBefore, notAfter, extensions));
            // the root is not sent
            whole.addAll(chain.subList(0, chain.size() - 1));
            return new Issued(whole, theirs.getPrivate());
        }
    }

    /// A certificate with its key.
    ///
    /// @param chain leaf first, without the root
    public record Issued(List<X509Certificate> chain, PrivateKey key) {

        public X509Certificate leaf() {
            return chain.getFirst();
        }

        /// One that signs with this key though nobody allowed it to.
        ///
        /// @param commonName of this certificate
        TestAuthority forger(String commonName) {
            return new TestAuthority(commonName, new KeyPair(leaf().getPublicKey(), key), chain);
        }

        /// What a server needs to speak TLS with it.
        public SSLContext server() {
            return server(chain);
        }

        /// The same with another chain.
        public SSLContext server(List<X509Certificate> sent) {
            try {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                store.setKeyEntry("server", key, new char[0], sent.toArray(Certificate[]::new));
                KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                managers.init(store, new char[0]);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(managers.getKeyManagers(), null, null);
                return context;
            } catch (IOException | GeneralSecurityException broken) {
                throw new IllegalStateException(broken);
            }
        }

        /// Writes key and chain, as Postfix wants them.
        public Path write(Path file) throws IOException {
            StringBuilder text = new StringBuilder(pem("PRIVATE KEY", key.getEncoded()));
            chain.forEach(certificate -> text.append(pem(certificate)));
            return Files.writeString(file, text);
        }
    }

    /// A certificate as text.
    public static String pem(X509Certificate certificate) {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n";
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException(broken);
        }
    }

    /// RFC 5280 §4.1.
    private X509Certificate sign(String subject, KeyPair theirs, Instant from, Instant until, List<byte[]> extensions) {
        byte[] algorithm = der(0x30, oid("1.2.840.10045.4.3.2"));
        List<byte[]> fields = new ArrayList<>(List.of(
                der(0xa0, der(0x02, new byte[] {2})),
                der(0x02, BigInteger.valueOf(SERIAL.getAndIncrement()).toByteArray()),
                algorithm,
                commonName(name),
                der(0x30, time(from), time(until)),
                commonName(subject),
                ((Key) theirs.getPublic()).getEncoded()));
        if (!extensions.isEmpty()) {
            fields.add(der(0xa3, der(0x30, extensions.toArray(byte[][]::new))));
        }
        byte[] content = der(0x30, fields.toArray(byte[][]::new));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(content);
            byte[] signed = der(0x30, content, algorithm, der(0x03, new byte[] {0}, signature.sign()));
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(signed));
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException(broken);
        }
    }

    /// basicConstraints: an authority.
    private static byte[] authority() {
        byte[] yes = der(0x01, new byte[] {(byte) 0xff});
        return der(0x30, oid("2.5.29.19"), yes, der(0x04, der(0x30, yes)));
    }

    private static byte[] commonName(String text) {
        return der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0c, text.getBytes(StandardCharsets.UTF_8)))));
    }

    private static byte[] time(Instant at) {
        return der(0x18, TIME.format(at).getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] oid(String dotted) {
        int[] numbers = Arrays.stream(dotted.split("\\.", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(numbers[0] * 40 + numbers[1]);
        for (int at = 2; at < numbers.length; at++) {
            for (int shift = 28; shift > 0; shift -= 7) {
                if (numbers[at] >>> shift != 0) {
                    bytes.write(((numbers[at] >>> shift) & 0x7f) | 0x80);
                }
            }
            bytes.write(numbers[at] & 0x7f);
        }
        return der(0x06, bytes.toByteArray());
    }

    private static byte[] der(int tag, byte[]... contents) {
        int length = Arrays.stream(contents).mapToInt(content -> content.length).sum();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length + 6);
        bytes.write(tag);
        if (length < 128) {
            bytes.write(length);
        } else {
            byte[] number = BigInteger.valueOf(length).toByteArray();
            int zeros = number[0] == 0 ? 1 : 0;
            bytes.write(0x80 | (number.length - zeros));
            bytes.write(number, zeros, number.length - zeros);
        }
        for (byte[] content : contents) {
            bytes.writeBytes(content);
        }
        return bytes.toByteArray();
    }
}
