package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Mail.Security;
import jakarta.mail.Address;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.URLName;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.eclipse.angus.mail.util.MailConnectException;

/// One mail by SMTP to the configured mail server. Each answer of the server is waited for at most the timeout.
///
/// When it takes the mail for some of the addresses only, it counts as delivered and the detail says so: trying again
/// would repeat it to the others.
final class OutgoingMail {

    private final AlertingSettings.MailServer server;
    private final Duration timeout;

    OutgoingMail(AlertingSettings.MailServer server, Duration timeout) {
        this.server = server;
        this.timeout = timeout;
    }

    /// @param mail header and body, with CRLF
    Attempt send(List<String> addresses, byte[] mail) {
        Address[] to;
        Session session;
        try {
            to = InternetAddress.parse(String.join(",", addresses), true);
            session = Session.getInstance(properties());
        } catch (AddressException bad) {
            return Attempt.of(Result.FORBIDDEN, "not a usable mail address in to");
        } catch (IOException unreadable) {
            return Attempt.of(Result.FORBIDDEN, "the ca-file of mail-server cannot be used");
        }
        boolean sent = false;
        SMTPTransport transport =
                new SMTPTransport(session, new URLName("smtp", server.host(), port(), null, null, null));
        try (transport) {
            String password =
                    server.password() == null ? null : server.password().reveal();
            transport.connect(server.host(), port(), server.user(), password);
            transport.sendMessage(new MimeMessage(session, new ByteArrayInputStream(mail)), to);
            sent = true;
            return delivered(transport);
        } catch (MessagingException failed) {
            return sent ? delivered(transport) : judged(failed, transport.getLastReturnCode());
        }
    }

    private static Attempt delivered(SMTPTransport transport) {
        return Attempt.of(Result.DELIVERED, "status " + transport.getLastReturnCode());
    }

    private int port() {
        return server.port() != 0 ? server.port() : server.security() == Security.TLS ? 465 : 587;
    }

    private Properties properties() throws IOException {
        String millis = Long.toString(timeout.toMillis());
        Properties properties = new Properties();
        properties.setProperty("mail.smtp.connectiontimeout", millis);
        properties.setProperty("mail.smtp.timeout", millis);
        properties.setProperty("mail.smtp.writetimeout", millis);
        properties.setProperty("mail.smtp.from", server.from());
        properties.setProperty("mail.smtp.auth", Boolean.toString(server.user() != null));
        properties.setProperty("mail.smtp.sendpartial", "true");
        properties.setProperty("mail.smtp.quitwait", "false");
        properties.setProperty("mail.smtp.ssl.checkserveridentity", "true");
        properties.setProperty("mail.smtp.socketFactory.fallback", "false");
        switch (server.security()) {
            case TLS -> properties.setProperty("mail.smtp.ssl.enable", "true");
            case STARTTLS -> {
                properties.setProperty("mail.smtp.starttls.enable", "true");
                properties.setProperty("mail.smtp.starttls.required", "true");
            }
            case PLAIN -> properties.setProperty("mail.smtp.starttls.enable", "false");
        }
        if (server.caFile() != null) {
            properties.put("mail.smtp.ssl.socketFactory", trusting(server.caFile()));
        }
        return properties;
    }

    private static SSLSocketFactory trusting(Path caFile) throws IOException {
        try (InputStream pem = Files.newInputStream(caFile)) {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                authorities.setCertificateEntry("ca" + authorities.size(), each);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (GeneralSecurityException unusable) {
            throw new IOException("the certificates in " + caFile + " cannot be used", unusable);
        }
    }

    private static Attempt judged(MessagingException failed, int lastCode) {
        return switch (failed) {
            case MailConnectException away -> Attempt.of(Result.UNREACHABLE, "no connection");
            case AuthenticationFailedException refused -> byCode(lastCode >= 400 ? lastCode : 535, "login");
            case SendFailedException refused -> {
                Address[] taken = refused.getValidSentAddresses();
                yield taken == null || taken.length == 0
                        ? byCode(code(refused, lastCode), "mail")
                        : Attempt.of(
                                Result.DELIVERED,
                                "to " + taken.length + " of the addresses; the server refused the others");
            }
            default -> {
                for (Throwable cause = failed.getCause(); cause != null; cause = cause.getCause()) {
                    if (cause instanceof SocketTimeoutException) {
                        yield Attempt.of(Result.TIMEOUT, "no answer in time");
                    }
                    if (cause instanceof SSLException) {
                        yield Attempt.of(Result.UNREACHABLE, "TLS handshake failed");
                    }
                }
                if (failed.getCause() == null
                        && String.valueOf(failed.getMessage()).contains("STARTTLS is required")) {
                    yield Attempt.of(Result.UNREACHABLE, "the server offers no STARTTLS");
                }
                yield failed.getCause() == null && lastCode >= 400
                        ? byCode(lastCode, "session")
                        : Attempt.of(Result.BROKEN, "connection broke");
            }
        };
    }

    private static int code(SendFailedException failed, int lastCode) {
        for (Exception next = failed; next instanceof MessagingException each; next = each.getNextException()) {
            if (each instanceof SMTPAddressFailedException address) {
                return address.getReturnCode();
            }
            if (each instanceof SMTPSendFailedException send && send.getReturnCode() >= 400) {
                return send.getReturnCode();
            }
        }
        return lastCode;
    }

    /// 4xx is asked again, 5xx hardly helps to (RFC 5321 §4.2.1).
    private static Attempt byCode(int code, String what) {
        String detail = "status " + code + " for the " + what;
        return switch (code / 100) {
            case 4 -> Attempt.of(Result.THROTTLED, detail);
            case 5 -> Attempt.of(Result.REFUSED, detail);
            default -> Attempt.of(Result.SERVER_ERROR, detail);
        };
    }
}
