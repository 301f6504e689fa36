package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Mail.Security;
import io.tlsrpt.topics.Alert;
import jakarta.mail.Address;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.URLName;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeUtility;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.eclipse.angus.mail.util.MailConnectException;
import org.jspecify.annotations.Nullable;

/// Mail through the configured mail server: plain text, and the same as HTML without any markup of a stranger.
///
/// All mails of an incident refer to the same root, so that mail programs show them as one thread. The Message-ID is
/// made from the message's id: a repetition after a crash is recognised as such by those who care. `Auto-Submitted`
/// keeps
/// well-behaved programs from answering (RFC 3834), and nothing here reads answers: there is no loop.
///
/// Each answer of the server is waited for at most the receiver's timeout. When it takes the mail for some of the
/// addresses only, it counts as delivered and the detail says so: trying again would repeat it to the others.
final class EmailReceiver implements Receiver {

    private static final int MOST_ALERTS = 50;
    private static final int MOST_REFERENCES = 20;
    private static final int MAX_NOTICE = 50_000;
    private static final String LINE = "\r\n";
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH);

    private final AlertingSettings.Receiver settings;
    private final AlertingSettings.MailServer server;

    EmailReceiver(AlertingSettings.Receiver settings, AlertingSettings.MailServer server) {
        this.settings = settings;
        this.server = server;
    }

    @Override
    public Attempt deliver(Message message, Instant now) {
        Address[] to;
        Session session;
        try {
            to = InternetAddress.parse(String.join(",", settings.to()), true);
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
            byte[] mail = mail(message, settings.to(), server.from(), now);
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
        String timeout = Long.toString(settings.timeout().toMillis());
        Properties properties = new Properties();
        properties.setProperty("mail.smtp.connectiontimeout", timeout);
        properties.setProperty("mail.smtp.timeout", timeout);
        properties.setProperty("mail.smtp.writetimeout", timeout);
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

    /// The mail as it is sent, with CRLF.
    ///
    /// No header holds a line break of anybody's: values are cleaned first, encoded (RFC 2047) and then folded.
    static byte[] mail(Message message, List<String> to, String from, Instant now) {
        String domain = from.substring(from.lastIndexOf('@') + 1);
        String boundary = "tlsrpt-" + token(message.id());
        StringBuilder mail = new StringBuilder();
        header(mail, "Date", DATE.format(now.atOffset(ZoneOffset.UTC)));
        header(mail, "From", from);
        header(mail, "To", String.join("," + LINE + " ", to));
        header(mail, "Subject", subject(message));
        header(mail, "Message-ID", "<" + token(message.id()) + "@" + domain + ">");
        List<String> roots = roots(message, domain);
        if (!roots.isEmpty()) {
            header(mail, "In-Reply-To", roots.getFirst());
            header(mail, "References", String.join(LINE + " ", roots));
        }
        header(mail, "Auto-Submitted", "auto-generated");
        header(mail, "X-Auto-Response-Suppress", "All");
        header(mail, "MIME-Version", "1.0");
        header(mail, "Content-Type", "multipart/alternative;" + LINE + " boundary=\"" + boundary + "\"");
        List<Section> sections = sections(message);
        part(mail, boundary, "plain", text(sections));
        part(mail, boundary, "html", html(sections));
        mail.append("--").append(boundary).append("--").append(LINE);
        return mail.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static void header(StringBuilder mail, String name, String value) {
        mail.append(name).append(": ").append(value).append(LINE);
    }

    private static String subject(Message message) {
        String subject = switch (message) {
            case Message.Notice notice -> notice.title();
            case Message.Alerts about -> AlertText.headline(about.alerts());
        };
        try {
            return MimeUtility.fold(
                    "Subject: ".length(),
                    MimeUtility.encodeText(CleanText.of(subject, AlertText.MAX_TITLE), "UTF-8", null));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private static List<String> roots(Message message, String domain) {
        return switch (message) {
            case Message.Notice notice -> List.of();
            case Message.Alerts about ->
                about.alerts().stream()
                        .limit(MOST_REFERENCES)
                        .map(alert -> "<incident." + token(alert.incidentId()) + "@" + domain + ">")
                        .distinct()
                        .toList();
        };
    }

    /// The id where it can stand in a header as it is, else its hash.
    private static String token(String id) {
        if (id.matches("[A-Za-z0-9-]{1,120}")) {
            return id;
        }
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException notThisPlatform) {
            throw new IllegalStateException("every Java platform has SHA-256", notThisPlatform);
        }
    }

    private static void part(StringBuilder mail, String boundary, String kind, String content) {
        mail.append(LINE).append("--").append(boundary).append(LINE);
        header(mail, "Content-Type", "text/" + kind + "; charset=utf-8");
        header(mail, "Content-Transfer-Encoding", "quoted-printable");
        mail.append(LINE);
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        try (OutputStream out = MimeUtility.encode(encoded, "quoted-printable")) {
            out.write(content.replace("\n", LINE).getBytes(StandardCharsets.UTF_8));
        } catch (IOException | MessagingException impossible) {
            throw new IllegalStateException("quoted-printable is always known", impossible);
        }
        mail.append(encoded.toString(StandardCharsets.US_ASCII)).append(LINE);
    }

    /// A headed paragraph with facts and links.
    private record Section(
            String title, List<String> paragraphs, List<AlertText.Fact> facts, List<AlertText.Fact> links) {}

    private static List<Section> sections(Message message) {
        return switch (message) {
            case Message.Notice notice ->
                List.of(new Section(
                        CleanText.of(notice.title(), AlertText.MAX_TITLE),
                        List.of(CleanText.lines(notice.text(), MAX_NOTICE)),
                        List.of(),
                        List.of()));
            case Message.Alerts about ->
                about.alerts().size() == 1 ? List.of(whole(about.first())) : list(about.alerts());
        };
    }

    private static List<Section> list(List<Alert> alerts) {
        List<Section> sections = new ArrayList<>();
        sections.add(new Section(AlertText.headline(alerts), List.of(), List.of(), List.of()));
        alerts.stream().limit(MOST_ALERTS).map(EmailReceiver::brief).forEach(sections::add);
        int rest = alerts.size() - MOST_ALERTS;
        if (rest > 0) {
            sections.add(new Section("and " + rest + " more", List.of(), List.of(), List.of()));
        }
        return sections;
    }

    private static Section brief(Alert alert) {
        AlertText text = AlertText.of(alert);
        return new Section(text.title(), List.of(text.summary()), List.of(), links(text));
    }

    private static Section whole(Alert alert) {
        AlertText text = AlertText.of(alert);
        List<String> paragraphs = new ArrayList<>();
        paragraphs.add(text.summary());
        if (text.live() != null) {
            paragraphs.add("Seen live: " + text.live());
        }
        if (alert.firing()) {
            addPresent(paragraphs, text.meaning());
            addPresent(paragraphs, text.fix());
            addPresent(paragraphs, text.verify());
        }
        return new Section(text.title(), paragraphs, text.facts(), links(text));
    }

    private static void addPresent(List<String> paragraphs, @Nullable String paragraph) {
        if (paragraph != null) {
            paragraphs.add(paragraph);
        }
    }

    private static List<AlertText.Fact> links(AlertText text) {
        List<AlertText.Fact> links = new ArrayList<>();
        if (text.alertUrl() != null) {
            links.add(new AlertText.Fact("Alert", text.alertUrl()));
        }
        if (text.runbookUrl() != null) {
            links.add(new AlertText.Fact("Runbook", text.runbookUrl()));
        }
        return links;
    }

    private static String text(List<Section> sections) {
        StringBuilder text = new StringBuilder();
        for (Section section : sections) {
            text.append(section.title()).append("\n\n");
            section.paragraphs().forEach(paragraph -> text.append(paragraph).append("\n\n"));
            section.facts().forEach(fact -> fact(text, fact));
            section.links().forEach(link -> fact(text, link));
            text.append('\n');
        }
        return text.toString();
    }

    private static void fact(StringBuilder text, AlertText.Fact fact) {
        text.append(String.format(Locale.ROOT, "%-15s", fact.label() + ":"))
                .append(fact.value())
                .append('\n');
    }

    private static String html(List<Section> sections) {
        return sections.stream()
                .map(EmailReceiver::html)
                .collect(Collectors.joining("\n", "<!DOCTYPE html>\n<html><body>\n", "\n</body></html>\n"));
    }

    private static String html(Section section) {
        StringBuilder html = new StringBuilder("<h3>" + escaped(section.title()) + "</h3>\n");
        section.paragraphs()
                .forEach(paragraph -> html.append("<p style=\"white-space:pre-wrap\">")
                        .append(escaped(paragraph))
                        .append("</p>\n"));
        if (!section.facts().isEmpty()) {
            html.append("<table>\n");
            section.facts()
                    .forEach(fact -> html.append("<tr><td>")
                            .append(escaped(fact.label()))
                            .append("</td><td>")
                            .append(escaped(fact.value()))
                            .append("</td></tr>\n"));
            html.append("</table>\n");
        }
        section.links()
                .forEach(link -> html.append("<p><a href=\"")
                        .append(escaped(link.value()))
                        .append("\">")
                        .append(escaped(link.label()))
                        .append("</a></p>\n"));
        return html.toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
