package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Message.Notice;
import java.time.Instant;

/// What is said about receivers that can no longer be told anything.
final class Notices {

    private Notices() {}

    static Notice dead(String id, String receiver, Instant since) {
        return new Notice(id, since, "tlsrpt: receiver " + receiver + " is dead", """
                Alerts no longer reach the receiver "%s": it takes no message, refuses them, or asked for no more.
                You get this because alerts meant for it are not seen there. The log of alerting-service says why.
                What waits is told for a day; you hear when it works again.""".formatted(receiver));
    }

    static Notice worksAgain(String id, String receiver, Instant at) {
        return new Notice(id, at, "tlsrpt: receiver " + receiver + " works again", """
                The receiver "%s" takes messages again. What waited for it is being told.""".formatted(receiver));
    }
}
