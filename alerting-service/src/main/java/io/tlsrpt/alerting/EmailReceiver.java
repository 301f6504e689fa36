package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeUtility;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Mail through the configured mail server: plain text, and the same as HTML without any markup of a stranger.
///
/// All mails of an incident refer to the same root, so that mail programs show them as one thread. The Message-ID is
/// made from the message's id: a repetition after a crash is recognised as such by those who care. `Auto-Submitted`
/// keeps
/// well-behaved programs from answering (RFC 3834), and nothing here reads answers: there is no loop.
final class EmailReceiver implements Receiver {

    private static final int MOST_ALERTS = 50;
    private static final int MOST_REFERENCES = 20;
    private static final int MAX_NOTICE = 50_000;

    /// Bytes of text in an encoded word.
    private static final int MOST_ENCODED = 45;

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
        return new OutgoingMail(server, settings.timeout())
                .send(settings.to(), mail(message, settings.to(), server.from(), now));
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
        String clean = CleanText.of(subject, AlertText.MAX_TITLE);
        if (clean.contains("=?")) {
            return encodedWords(clean);
        }
        try {
            return MimeUtility.fold("Subject: ".length(), MimeUtility.encodeText(clean, "UTF-8", null));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /// All of the text as encoded words of at most 75 characters (RFC 2047 section 2). ASCII needs none, but what looks
    /// like an encoded word would be decoded, and a name of a stranger's would say something else in the mail program.
    private static String encodedWords(String text) {
        List<String> words = new ArrayList<>();
        for (int from = 0; from < text.length(); ) {
            int to = from;
            int bytes = 0;
            while (to < text.length() && bytes + 4 <= MOST_ENCODED) {
                int next = text.offsetByCodePoints(to, 1);
                bytes += text.substring(to, next).getBytes(StandardCharsets.UTF_8).length;
                to = next;
            }
            byte[] utf8 = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
            words.add("=?UTF-8?B?" + Base64.getEncoder().encodeToString(utf8) + "?=");
            from = to;
        }
        return String.join(LINE + " ", words);
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
