package io.tlsrpt.ingest;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The door for files: `POST /api/v1/import?name=FILE&backfill=true|false`, the body being one file: JSON, gzip, a
/// mail, an mbox, or a zip or tar of such.
///
/// The operator vouches for them, unless `authentication=channel` asks for what a channel asks: then documents are as
/// untrusted as posted ones, or signed by `dkim-domain`, and mails need a signature that holds at `received-at`.
/// `channel-domain` is what their channel stands for.
///
/// The answer is NDJSON, one [Line] per document in the file's order, each with the verdict of the stream-processor.
/// The
/// whole body is taken to the disk before the first line goes out: many clients do not listen while they send.
/// While the broker is away the answer is 503; files can wait.
final class ImportDoor {

    private static final Logger LOG = LoggerFactory.getLogger(ImportDoor.class);
    private static final String PATH = "/api/v1/import";
    private static final long MAX_UPLOAD_BYTES = 4L * 1024 * 1024 * 1024;
    private static final int MAX_IMPORTS = 4;
    private static final int MAX_UNDER_WAY = 2000;
    private static final String RETRY_AFTER = "30";

    private final Path directory;
    private final int maxBody;
    private final Intake intake;
    private final MailSink mails;
    private final Spool spool;
    private final VerdictWatch verdicts;
    private final Duration patience;
    private final IngestMetrics metrics;
    private final Clock clock;
    private final Doorkeeper doorkeeper;
    private final Semaphore imports = new Semaphore(MAX_IMPORTS);

    /// @param directory for uploads while they are read; emptied of earlier ones by [#start]
    /// @param patience how long a verdict is waited for
    ImportDoor(
            Path directory,
            Settings.Intake settings,
            Intake intake,
            MailSink mails,
            Spool spool,
            VerdictWatch verdicts,
            Duration patience,
            Access access,
            IngestMetrics metrics,
            Clock clock) {
        this.directory = directory;
        this.maxBody = settings.maxBody().asInt();
        this.intake = intake;
        this.mails = mails;
        this.spool = spool;
        this.verdicts = verdicts;
        this.patience = patience;
        this.metrics = metrics;
        this.clock = clock;
        this.doorkeeper = new Doorkeeper(access, metrics);
    }

    /// What became of one document.
    ///
    /// @param verdict of the stream-processor; or `rejected` by intake; `skipped`: no report by its name, kept nowhere;
    /// `pending`: stored, but not judged in time; `failed`: not stored, import it again
    @JsonPropertyOrder({"name", "report-key", "verdict", "reason", "detail"})
    record Line(
            String name,
            @Nullable String reportKey,
            String verdict,
            @Nullable String reason,
            @Nullable String detail) {
        static final String SKIPPED = "skipped";
        static final String PENDING = "pending";
        static final String FAILED = "failed";
    }

    void start() {
        try {
            Files.createDirectories(directory);
            try (var left = Files.newDirectoryStream(directory, "upload-*")) {
                for (Path file : left) {
                    Files.delete(file);
                }
            }
        } catch (IOException unusable) {
            throw new UncheckedIOException("the directory " + directory + " cannot be used", unusable);
        }
    }

    void routing(HttpRouting.Builder routing) {
        routing.any(PATH, this::handle);
    }

    private void handle(ServerRequest request, ServerResponse response) {
        if (!request.prologue().method().equals(Method.POST)) {
            metrics.turnedAway(IngestMetrics.TurnedAway.METHOD);
            response.header(HeaderNames.ALLOW, "POST");
            Problem.of(Status.METHOD_NOT_ALLOWED_405, "method-not-allowed", "files are posted", null)
                    .send(response);
            return;
        }
        if (doorkeeper.admittedToAll(request, response).isEmpty()) {
            return;
        }
        Asked asked = asked(request);
        if (asked instanceof Asked.Fault fault) {
            refuse(response, Status.BAD_REQUEST_400, "bad-parameter", fault.expected());
        } else if (request.headers().contentLength().orElse(0) > MAX_UPLOAD_BYTES) {
            refuse(response, Status.REQUEST_ENTITY_TOO_LARGE_413, "too-large", "at most 4 GiB at a time");
        } else if (!imports.tryAcquire()) {
            busy(response, MAX_IMPORTS + " imports are under way");
        } else {
            try {
                imports(request, response, (Asked.Terms) asked);
            } finally {
                imports.release();
            }
        }
    }

    /// What a request says of everything in its body.
    private sealed interface Asked {

        /// @param proof of documents
        /// @param vouched whether mails need no signature
        /// @param receivedAt when it first came, by which signatures are judged; absent: now
        record Terms(
                Proof proof,
                boolean vouched,
                @Nullable Instant receivedAt,
                @Nullable String channelDomain,
                Submission.Backfill backfill)
                implements Asked {}

        record Fault(String expected) implements Asked {}
    }

    private Asked asked(ServerRequest request) {
        Submission.Backfill backfill;
        switch (request.query().first("backfill").orElse("")) {
            case "" -> backfill = Submission.Backfill.BY_AGE;
            case "true" -> backfill = Submission.Backfill.YES;
            case "false" -> backfill = Submission.Backfill.NO;
            default -> {
                return new Asked.Fault("backfill is true or false");
            }
        }
        String channelDomain = request.query().first("channel-domain").orElse(null);
        if (channelDomain != null && !DomainName.isName(channelDomain)) {
            return new Asked.Fault("channel-domain is a domain name in lower case");
        }
        String receivedAt = request.query().first("received-at").orElse(null);
        String dkimDomain = request.query().first("dkim-domain").orElse(null);
        return switch (request.query().first("authentication").orElse("operator")) {
            case "operator" ->
                receivedAt == null && dkimDomain == null
                        ? new Asked.Terms(Proof.OPERATOR, true, null, channelDomain, backfill)
                        : new Asked.Fault("received-at and dkim-domain go with authentication=channel");
            case "channel" -> asChannel(receivedAt, dkimDomain, channelDomain, backfill);
            default -> new Asked.Fault("authentication is operator or channel");
        };
    }

    private Asked asChannel(
            @Nullable String receivedAt,
            @Nullable String dkimDomain,
            @Nullable String channelDomain,
            Submission.Backfill backfill) {
        if (dkimDomain != null && !DomainName.isName(dkimDomain)) {
            return new Asked.Fault("dkim-domain is a domain name in lower case");
        }
        Instant at = null;
        if (receivedAt != null) {
            try {
                at = Instant.parse(receivedAt);
            } catch (DateTimeParseException noTime) {
                return new Asked.Fault("received-at is a time such as 2026-11-20T00:00:00Z");
            }
            if (at.isAfter(clock.instant())) {
                return new Asked.Fault("received-at is not in the future");
            }
        }
        Proof proof = dkimDomain == null ? Proof.NOBODY : new Proof.Verified(dkimDomain);
        return new Asked.Terms(proof, false, at, channelDomain, backfill);
    }

    private void imports(ServerRequest request, ServerResponse response, Asked.Terms terms) {
        if (!spool.isEmpty() || !verdicts.start()) {
            busy(response, "the broker cannot be reached");
            return;
        }
        String name = request.query().first("name").orElse("");
        try {
            Path upload = Files.createTempFile(directory, "upload-", ".tmp");
            try {
                if (!received(request, upload)) {
                    refuse(response, Status.REQUEST_ENTITY_TOO_LARGE_413, "too-large", "at most 4 GiB at a time");
                    return;
                }
                Lines lines = new Lines(response, terms);
                try (InputStream file = Files.newInputStream(upload)) {
                    ReportFiles.read(file, name, ReportFiles.Limits.of(maxBody, Files.size(upload)), lines);
                    lines.finish();
                } catch (BrokerAway away) {
                    lines.stop(away);
                }
            } finally {
                Files.delete(upload);
            }
        } catch (IOException broken) {
            throw new UncheckedIOException("an import was not finished", broken);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            LOG.atWarn().log("an import was not finished: the service is stopping");
        }
    }

    private static boolean received(ServerRequest request, Path upload) throws IOException {
        if (!request.content().hasEntity()) {
            return true;
        }
        try (OutputStream out = Files.newOutputStream(upload)) {
            InputStream in = request.content().inputStream();
            byte[] buffer = new byte[64 * 1024];
            long total = 0;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                total += read;
                if (total > MAX_UPLOAD_BYTES) {
                    return false;
                }
                out.write(buffer, 0, read);
            }
            return true;
        }
    }

    private static void refuse(ServerResponse response, Status status, String reason, String detail) {
        response.header(HeaderValues.CONNECTION_CLOSE);
        Problem.of(status, reason, detail, null).send(response);
    }

    private static void busy(ServerResponse response, String why) {
        response.header(HeaderNames.RETRY_AFTER, RETRY_AFTER);
        refuse(response, Status.SERVICE_UNAVAILABLE_503, "busy", why);
    }

    /// The rest of the file is not tried.
    private static final class BrokerAway extends IOException {
        private static final long serialVersionUID = 1;

        BrokerAway(String why) {
            super(why);
        }
    }

    /// The answer: lines in the file's order, while many documents are under way at a time.
    private final class Lines implements ReportFiles.Sink {

        private final ServerResponse response;
        private final Asked.Terms terms;
        private final ArrayDeque<CompletableFuture<List<Line>>> underWay = new ArrayDeque<>();
        private @Nullable OutputStream out;

        Lines(ServerResponse response, Asked.Terms terms) {
            this.response = response;
            this.terms = terms;
        }

        @Override
        public void found(ReportFiles.Found found) throws IOException, InterruptedException {
            String name = String.valueOf(Untrusted.shown(found.name()));
            underWay.add(
                    switch (found) {
                        case ReportFiles.Found.Document document -> taken(document, name);
                        case ReportFiles.Found.Mail mail -> taken(mail, name);
                        case ReportFiles.Found.Skipped skipped -> {
                            metrics.notRead(IngestMetrics.NotRead.SKIPPED);
                            yield CompletableFuture.completedFuture(
                                    List.of(new Line(name, null, Line.SKIPPED, null, skipped.why())));
                        }
                        case ReportFiles.Found.Broken broken -> {
                            metrics.notRead(IngestMetrics.NotRead.BROKEN_ARCHIVE);
                            yield CompletableFuture.completedFuture(List.of(new Line(
                                    name, null, Line.FAILED, "broken-archive", Untrusted.shown(broken.why()))));
                        }
                    });
            while (!underWay.isEmpty()
                    && (underWay.size() >= MAX_UNDER_WAY || underWay.peekFirst().isDone())) {
                next(true);
            }
        }

        private CompletableFuture<List<Line>> taken(ReportFiles.Found.Document document, String name)
                throws InterruptedException {
            return intake.takeUnspooled(new Submission(
                            document.bytes(),
                            document.cut(),
                            Source.FILE,
                            clock.instant(),
                            name.isEmpty() ? null : name,
                            terms.proof(),
                            terms.channelDomain(),
                            terms.backfill(),
                            null,
                            null))
                    .thenCompose(outcome -> line(name, outcome))
                    .thenApply(List::of);
        }

        /// A line for each report of a mail; of a mail without one, a line that says so.
        private CompletableFuture<List<Line>> taken(ReportFiles.Found.Mail mail, String name)
                throws InterruptedException {
            Instant now = clock.instant();
            return mails.take(new Mail(
                            mail.bytes(),
                            mail.cut(),
                            Source.FILE,
                            now,
                            terms.receivedAt() == null ? now : terms.receivedAt(),
                            name.isEmpty() ? null : name,
                            terms.vouched(),
                            terms.channelDomain(),
                            terms.backfill()))
                    .thenCompose(outcome -> lines(name, outcome));
        }

        private CompletableFuture<List<Line>> lines(String name, MailOutcome outcome) {
            return switch (outcome) {
                case MailOutcome.TryAgain tryAgain ->
                    failed(name, tryAgain.why()).thenApply(List::of);
                case MailOutcome.Kept kept -> {
                    List<Outcome> outcomes = kept.outcomes();
                    List<CompletableFuture<Line>> lines = new ArrayList<>(outcomes.size());
                    for (int at = 0; at < outcomes.size(); at++) {
                        lines.add(line(outcomes.size() == 1 ? name : name + " report " + (at + 1), outcomes.get(at)));
                    }
                    yield CompletableFuture.allOf(lines.toArray(CompletableFuture[]::new))
                            .thenApply(done ->
                                    lines.stream().map(CompletableFuture::join).toList());
                }
            };
        }

        private CompletableFuture<Line> line(String name, Outcome outcome) {
            return switch (outcome) {
                case Outcome.Accepted accepted ->
                    verdicts.of(accepted.position(), patience)
                            .thenApply(verdict -> verdict.map(known -> new Line(
                                            name, known.reportKey(), known.verdict(), known.reason(), known.detail()))
                                    .orElseGet(() -> new Line(
                                            name,
                                            accepted.reportKey(),
                                            Line.PENDING,
                                            null,
                                            "stored, but not judged within " + patience.toSeconds() + " s")));
                case Outcome.Refused refused ->
                    CompletableFuture.completedFuture(new Line(
                            name,
                            refused.reportKey(),
                            Verdict.REJECTED,
                            refused.reason().word(),
                            refused.detail()));
                case Outcome.Busy busy -> failed(name, busy.why());
                case Outcome.Spooled spooled -> failed(name, "the broker cannot be reached");
            };
        }

        private CompletableFuture<Line> failed(String name, String why) {
            return CompletableFuture.completedFuture(new Line(name, null, Line.FAILED, "busy", why));
        }

        /// Waits for the first document or mail under way and writes its lines.
        ///
        /// @param stopping whether one that could not be stored ends the import
        private void next(boolean stopping) throws IOException, InterruptedException {
            CompletableFuture<List<Line>> first = underWay.remove();
            if (!first.isDone() && out != null) {
                out.flush();
            }
            List<Line> lines = first.join();
            Optional<Line> away =
                    lines.stream().filter(line -> "busy".equals(line.reason())).findFirst();
            if (away.isPresent() && stopping && out == null) {
                throw new BrokerAway(String.valueOf(away.get().detail()));
            }
            OutputStream to = out;
            if (to == null) {
                response.header(HeaderNames.CONTENT_TYPE, "application/x-ndjson");
                to = response.outputStream();
                out = to;
            }
            for (Line line : lines) {
                to.write(Json.MAPPER.writeValueAsBytes(line));
                to.write('\n');
            }
            if (away.isPresent() && stopping) {
                throw new BrokerAway(String.valueOf(away.get().detail()));
            }
        }

        void finish() throws IOException, InterruptedException {
            while (!underWay.isEmpty()) {
                next(true);
            }
            end();
        }

        /// Writes what is known of the documents that were under way, or 503 when nothing was written yet.
        void stop(BrokerAway away) throws IOException, InterruptedException {
            LOG.atWarn().addKeyValue("why", away.getMessage()).log("an import was stopped");
            if (out == null) {
                busy(response, String.valueOf(away.getMessage()));
                return;
            }
            while (!underWay.isEmpty()) {
                next(false);
            }
            end();
        }

        private void end() throws IOException {
            if (out == null) {
                response.header(HeaderNames.CONTENT_TYPE, "application/x-ndjson");
                response.send();
            } else {
                out.close();
            }
        }
    }
}
