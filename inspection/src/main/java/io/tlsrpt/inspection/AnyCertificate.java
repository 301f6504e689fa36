package io.tlsrpt.inspection;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/// Refuses nobody: who is presented is judged afterwards, by [CertificateCheck] and the TLSA records.
final class AnyCertificate extends X509ExtendedTrustManager {

    private AnyCertificate() {}

    /// For TLS with whomever.
    static SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new AnyCertificate()}, new SecureRandom());
            return context;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("this Java has no TLS", impossible);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyExchange) {
        throw new UnsupportedOperationException("only servers are looked at");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyExchange, Socket socket) {
        throw new UnsupportedOperationException("only servers are looked at");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyExchange, SSLEngine engine) {
        throw new UnsupportedOperationException("only servers are looked at");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
