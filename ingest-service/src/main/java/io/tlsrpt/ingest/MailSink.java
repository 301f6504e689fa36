package io.tlsrpt.ingest;

import java.util.concurrent.CompletableFuture;

/// Where every channel brings its mails; in the service it is [MailIntake].
@FunctionalInterface
interface MailSink {

    /// Judges a mail and hands its documents on. Blocks for DNS and while too much is under way, not for the broker.
    ///
    /// @return completed once the broker has acknowledged everything, or with what to do instead; never exceptionally
    CompletableFuture<MailOutcome> take(Mail mail) throws InterruptedException;
}
