package io.tlsrpt.runtime;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Collections;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The certificate and key of a listener, taken anew from the key store when its file changes; a bad file changes
/// nothing.
@SuppressWarnings("NullAway") // the interface of the JDK answers null for "none"
public final class ReloadingKeyStore extends X509ExtendedKeyManager {

    private static final Logger LOG = LoggerFactory.getLogger(ReloadingKeyStore.class);

    private final Settings.Tls settings;
    private volatile X509ExtendedKeyManager current;
    private volatile long notAfter;
    private final SSLContext context;
    private FileTime modified;

    /// @throws IllegalStateException when the key store cannot be used, saying why
    public ReloadingKeyStore(Settings.Tls settings) {
        this.settings = settings;
        try {
            this.modified = Files.getLastModifiedTime(settings.keyStore());
            this.current = load();
        } catch (IOException | GeneralSecurityException unusable) {
            throw new IllegalStateException(
                    "the key store " + settings.keyStore() + " cannot be used: " + unusable.getMessage(), unusable);
        }
        this.context = contextOf(this);
    }

    /// The context for the next handshake, after a look at the file.
    public SSLContext lookedAt() {
        look();
        return context;
    }

    SSLContext sslContext() {
        return context;
    }

    private static SSLContext contextOf(KeyManager keys) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {keys}, null, null);
            return context;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    synchronized void look() {
        try {
            FileTime now = Files.getLastModifiedTime(settings.keyStore());
            if (now.equals(modified)) {
                return;
            }
            modified = now;
            current = load();
            LOG.atInfo().addKeyValue("key-store", settings.keyStore()).log("certificate reloaded");
        } catch (IOException | GeneralSecurityException unusable) {
            LOG.atError()
                    .addKeyValue("key-store", settings.keyStore())
                    .addKeyValue("why", unusable.getMessage())
                    .log("certificate not reloaded, the last good one stays");
        }
    }

    /// Shows as `tlsrpt.certificate.not.after.seconds` when the certificate ends, in seconds since 1970.
    ///
    /// @param listener whose certificate it is, such as `intake`
    public void watch(String listener, MeterRegistry meters) {
        Gauge.builder("tlsrpt.certificate.not.after.seconds", this, ReloadingKeyStore::notAfterNow)
                .description("When the certificate of a listener ends, in seconds since 1970")
                .tag("listener", listener)
                .register(meters);
    }

    private double notAfterNow() {
        look();
        return notAfter;
    }

    private X509ExtendedKeyManager load() throws IOException, GeneralSecurityException {
        char[] password = settings.keyStorePassword().reveal().toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(settings.keyStore())) {
            store.load(in, password);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, password);
        for (KeyManager manager : factory.getKeyManagers()) {
            if (manager instanceof X509ExtendedKeyManager usable) {
                notAfter = end(store);
                return usable;
            }
        }
        throw new GeneralSecurityException("it holds no key");
    }

    /// The earliest, where it holds several.
    private static long end(KeyStore store) throws GeneralSecurityException {
        long end = Long.MAX_VALUE;
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias) && store.getCertificate(alias) instanceof X509Certificate certificate) {
                end = Math.min(end, certificate.getNotAfter().toInstant().getEpochSecond());
            }
        }
        return end;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal[] issuers) {
        return current.getClientAliases(keyType, issuers);
    }

    @Override
    public @Nullable String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
        return current.chooseClientAlias(keyType, issuers, socket);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal[] issuers) {
        return current.getServerAliases(keyType, issuers);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        return current.chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        return current.chooseEngineServerAlias(keyType, issuers, engine);
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        return current.getCertificateChain(alias);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        return current.getPrivateKey(alias);
    }
}
