package io.tlsrpt.mail;

import io.tlsrpt.report.DomainName;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.RefusalReason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.james.mime4j.MimeException;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.io.MaxHeaderLengthLimitException;
import org.apache.james.mime4j.io.MaxHeaderLimitException;
import org.apache.james.mime4j.io.MaxLineLimitException;
import org.apache.james.mime4j.stream.BodyDescriptor;
import org.apache.james.mime4j.stream.EntityState;
import org.apache.james.mime4j.stream.MimeConfig;
import org.apache.james.mime4j.stream.MimeTokenStream;
import org.apache.james.mime4j.util.MimeUtil;
import org.jspecify.annotations.Nullable;

/// One pass over the MIME tree of a mail, its parts in their order. Used once.
final class MimeWalk {

    private static final int MAX_FIELDS = 1_000;
    private static final int MAX_BOUNDARY = 1_000;
    private static final int HEAD_TIMES_FIELD = 4;
    private static final int TYPES_SHOWN = 5;

    private final byte[] message;
    private final ReportMail.Limits limits;
    private final MimeConfig config;
    private final Deque<Container> containers = new ArrayDeque<>();
    private final List<Part.Found> candidates = new ArrayList<>();
    private final Set<String> types = new LinkedHashSet<>();
    private final Zips zips;
    private Head head = new Head();
    private @Nullable Head outermost;
    private int parts;
    private Reading.@Nullable Unreadable stopped;

    MimeWalk(byte[] message, ReportMail.Limits limits) {
        this.message = message;
        this.limits = limits;
        this.zips = new Zips(limits);
        this.config = MimeConfig.custom()
                .setMaxLineLen(limits.maxHeaderBytes())
                .setMaxHeaderLen(limits.maxHeaderBytes())
                .setMaxHeaderCount(MAX_FIELDS)
                .setMaxContentLen(-1)
                .build();
    }

    /// What holds other entities.
    private static sealed interface Container {

        final class Multipart implements Container {
            final String type;
            final @Nullable String reportType;
            int children;

            Multipart(String type, @Nullable String reportType) {
                this.type = type;
                this.reportType = reportType;
            }
        }

        /// A mail: the outermost, or a forwarded one.
        record Message(Head head, boolean forwarded) implements Container {}
    }

    void walk() {
        walk(new ByteArrayInputStream(message));
    }

    boolean isSure() {
        return candidates.stream().anyMatch(Part.Found::sure);
    }

    List<ReportMail.Document> documents() {
        boolean sure = isSure();
        List<Part.Found> chosen = candidates.stream()
                .filter(candidate -> candidate.sure() == sure)
                .toList();
        return chosen.stream()
                .map(candidate -> {
                    Set<Leniency> leniencies = EnumSet.noneOf(Leniency.class);
                    leniencies.addAll(candidate.leniencies());
                    if (chosen.size() > 1) {
                        leniencies.add(Leniency.MAIL_SEVERAL_REPORTS);
                    }
                    return new ReportMail.Document(candidate.place(), candidate.bytes(), candidate.cut(), leniencies);
                })
                .toList();
    }

    Reading.@Nullable Unreadable refusal() {
        if (stopped != null || !candidates.isEmpty()) {
            return stopped;
        }
        if (message.length == 0) {
            return new Reading.Unreadable(RefusalReason.EMPTY, "the mail is empty");
        }
        String seen = types.isEmpty()
                ? "none"
                : String.join(", ", types.stream().limit(TYPES_SHOWN).toList());
        return new Reading.Unreadable(RefusalReason.NO_REPORT, "no part of the mail is a report: " + seen);
    }

    ReportMail.Envelope envelope() {
        Head top = outermost;
        return top == null
                ? new ReportMail.Envelope(null, null, null, null)
                : new ReportMail.Envelope(
                        top.messageId(), domain(top.reportDomain()), domain(top.reportSubmitter()), top.subject());
    }

    private static @Nullable String domain(@Nullable String text) {
        if (text == null) {
            return null;
        }
        String canonical = DomainName.canonical(text);
        return DomainName.isName(canonical) ? canonical : null;
    }

    private void walk(InputStream mail) {
        MimeTokenStream tokens = new MimeTokenStream(config, DecodeMonitor.SILENT, null);
        tokens.parse(mail);
        try {
            for (EntityState state = tokens.getState();
                    state != EntityState.T_END_OF_STREAM && stopped == null;
                    state = tokens.next()) {
                step(state, tokens);
            }
        } catch (IOException | MimeException unreadable) {
            stop(unreadable);
        }
    }

    private void stop(Exception unreadable) {
        // the library wraps some of its own exceptions
        Throwable cause = unreadable.getCause() == null ? unreadable : unreadable.getCause();
        if (cause instanceof MaxLineLimitException || cause instanceof MaxHeaderLengthLimitException) {
            stop(
                    RefusalReason.TOO_LARGE,
                    "a header field of " + where() + " is over " + limits.maxHeaderBytes() + " bytes");
        } else if (cause instanceof MaxHeaderLimitException) {
            stop(RefusalReason.TOO_LARGE, "the head of " + where() + " has over " + MAX_FIELDS + " fields");
        } else {
            stop(RefusalReason.NO_REPORT, "the MIME structure of " + where() + " cannot be read");
        }
    }

    private void step(EntityState state, MimeTokenStream tokens) throws IOException {
        switch (state) {
            case T_START_MESSAGE -> {
                head = new Head();
                enter(new Container.Message(head, outermost != null));
                if (outermost == null) {
                    outermost = head;
                }
            }
            case T_START_BODYPART -> {
                head = new Head();
                if (containers.peek() instanceof Container.Multipart multipart) {
                    multipart.children++;
                }
                if (++parts > limits.maxParts()) {
                    stop(RefusalReason.TOO_LARGE, "over " + limits.maxParts() + " parts; the rest is not read");
                }
            }
            case T_FIELD -> {
                head.add(tokens.getField());
                int most = HEAD_TIMES_FIELD * limits.maxHeaderBytes();
                if (head.bytes() > most) {
                    stop(RefusalReason.TOO_LARGE, "the head of " + where() + " is over " + most + " bytes");
                }
            }
            case T_START_MULTIPART -> {
                BodyDescriptor body = tokens.getBodyDescriptor();
                enter(new Container.Multipart(body.getMimeType(), head.reportType()));
                if (body.getBoundary().length() > MAX_BOUNDARY) {
                    stop(
                            RefusalReason.TOO_LARGE,
                            "a boundary in " + where() + " is over " + MAX_BOUNDARY + " characters");
                }
            }
            case T_END_MULTIPART, T_END_MESSAGE -> containers.pop();
            case T_BODY -> leaf(tokens);
            default -> {
                // preambles, epilogues and the ends of parts say nothing
            }
        }
    }

    private void enter(Container container) {
        containers.push(container);
        if (containers.size() > limits.maxDepth() + 1) {
            stop(RefusalReason.TOO_DEEP, "over " + limits.maxDepth() + " multiparts and mails inside each other");
        }
    }

    private void stop(RefusalReason reason, String detail) {
        if (stopped == null) {
            stopped = new Reading.Unreadable(reason, detail);
        }
    }

    private void leaf(MimeTokenStream tokens) throws IOException {
        BodyDescriptor body = tokens.getBodyDescriptor();
        String type = body.getMimeType();
        types.add(Head.shown(type));
        Set<Leniency> leniencies = EnumSet.noneOf(Leniency.class);
        byte[] bytes = decoded(tokens, body.getTransferEncoding(), leniencies);
        if (type.equals("message/global")) {
            walk(new ByteArrayInputStream(bytes));
            return;
        }
        Part part = new Part(place(), type, head.fileName(), bytes, bytes.length > limits.maxDocumentBytes());
        List<Part.Found> found = part.find(zips);
        if (zips.over()) {
            stop(RefusalReason.TOO_LARGE, "the zip in " + place() + " inflates to too much; the rest is not read");
        }
        if (found.isEmpty()) {
            return;
        }
        structure(leniencies);
        for (Part.Found each : found) {
            if (candidates.size() == limits.maxReports()) {
                stop(
                        RefusalReason.TOO_LARGE,
                        "over " + limits.maxReports() + " reports in one mail; the rest is not read");
                return;
            }
            Set<Leniency> all = EnumSet.copyOf(each.leniencies());
            all.addAll(leniencies);
            candidates.add(new Part.Found(each.place(), each.bytes(), each.cut(), all, each.sure()));
        }
    }

    private byte[] decoded(MimeTokenStream tokens, String encoding, Set<Leniency> leniencies) throws IOException {
        int most = limits.maxDocumentBytes() + 1;
        if (MimeUtil.isBase64Encoding(encoding)) {
            Base64Body base64 = new Base64Body(tokens.getInputStream(), most);
            if (base64.odd()) {
                leniencies.add(Leniency.MAIL_BASE64);
            }
            return base64.decoded();
        }
        return tokens.getDecodedInputStream().readNBytes(most);
    }

    /// What is odd about where a document stands.
    private void structure(Set<Leniency> leniencies) {
        if (bareLf()) {
            leniencies.add(Leniency.MAIL_BARE_LF);
        }
        Iterator<Container> outwards = containers.iterator();
        Container nearest = outwards.next();
        if (nearest instanceof Container.Multipart multipart && multipart.type.equals("multipart/report")) {
            if (!"tlsrpt".equalsIgnoreCase(multipart.reportType)) {
                leniencies.add(Leniency.MAIL_REPORT_TYPE);
            }
            if (containers.size() > 1 && outwards.next() instanceof Container.Multipart) {
                leniencies.add(Leniency.MAIL_NESTED);
            }
        } else {
            leniencies.add(Leniency.MAIL_NOT_MULTIPART_REPORT);
        }
        if (isReturned()) {
            leniencies.add(Leniency.MAIL_RETURNED);
        }
        for (Container container : containers) {
            if (container instanceof Container.Message mail) {
                if (mail.forwarded()) {
                    leniencies.add(Leniency.MAIL_FORWARDED);
                }
                if (!mail.head().hasReportFields()) {
                    leniencies.add(Leniency.MAIL_HEADERS_MISSING);
                }
                return;
            }
        }
    }

    /// Whether this stands in an automatic reply, or in a mail that a report of another kind brings back, such as a
    /// delivery status notification (RFC 3464 §2).
    private boolean isReturned() {
        boolean mailInside = false;
        for (Container container : containers) {
            switch (container) {
                case Container.Message mail -> {
                    if (mail.head().isAutomaticReply()) {
                        return true;
                    }
                    mailInside = true;
                }
                case Container.Multipart multipart -> {
                    if (mailInside
                            && multipart.type.equals("multipart/report")
                            && !"tlsrpt".equalsIgnoreCase(multipart.reportType)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private boolean bareLf() {
        for (int at = 0; at < message.length; at++) {
            if (message[at] == '\n') {
                return at == 0 || message[at - 1] != '\r';
            }
        }
        return false;
    }

    private String where() {
        return containers.size() <= 1 && parts == 0 ? "the mail" : place();
    }

    /// `part 2.1` counts as IMAP does (RFC 9051 §6.4.5).
    private String place() {
        StringBuilder numbers = new StringBuilder();
        for (Iterator<Container> inwards = containers.descendingIterator(); inwards.hasNext(); ) {
            if (inwards.next() instanceof Container.Multipart multipart) {
                numbers.append(numbers.isEmpty() ? "part " : ".").append(multipart.children);
            }
        }
        return numbers.isEmpty() ? "the body" : numbers.toString();
    }
}
