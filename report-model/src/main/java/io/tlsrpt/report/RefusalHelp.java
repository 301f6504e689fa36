package io.tlsrpt.report;

import java.util.Arrays;
import java.util.List;

/// What a refusal means to the people who have to deal with it: one entry per [RefusalReason].
///
/// The texts name settings and commands between backticks. `docs/rejections.md` has the same as a table.
///
/// @param meaning what was seen
/// @param fault whose it usually is
/// @param fix what to do about it
/// @param retry whether the same bytes can be accepted another time
public record RefusalHelp(RefusalReason reason, String meaning, Fault fault, String fix, Retry retry) {

    /// Who can usually mend it.
    public enum Fault {
        SENDER("the sender"),
        SETTINGS("our settings"),
        ON_THE_WAY("a mail server on the way"),
        STRANGER("a stranger or a scanner"),
        PROGRAM("this program");

        private final String words;

        Fault(String words) {
            this.words = words;
        }

        public String words() {
            return words;
        }
    }

    /// Whether judging the same bytes again can end otherwise.
    public enum Retry {
        /// once what `fix` says was done
        AFTER_FIX("after-fix"),
        /// only when the operator vouches for the document
        VOUCH("vouch"),
        /// what was kept will never be a report
        NEVER("never");

        private final String word;

        Retry(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    private static final String DEVIATION =
            "Compare it with RFC 8460 §4.4. From a known reporter it is a deviation that"
                    + " we do not know yet: please report it with the document, and retry with the release that reads it.";
    private static final String TELL_THE_SENDER =
            "Tell the sender, whom `contact-info` or the From address names; the next report may be whole.";

    /// The entries of all reasons, in their order.
    public static List<RefusalHelp> all() {
        return Arrays.stream(RefusalReason.values()).map(RefusalHelp::of).toList();
    }

    public static RefusalHelp of(RefusalReason reason) {
        return switch (reason) {
            case EMPTY ->
                new RefusalHelp(
                        reason,
                        "The body has no bytes.",
                        Fault.STRANGER,
                        "Nothing, unless a known reporter does it again and again: then tell them.",
                        Retry.NEVER);
            case NO_REPORT ->
                new RefusalHelp(
                        reason,
                        "It is something else: JSON without any member of a TLS report, or a mail without a report in"
                                + " any of its parts, such as a bounce, an auto-reply or advertising.",
                        Fault.STRANGER,
                        "Nothing for mail that is no report; give reports an address of their own. If it is one, please"
                                + " report it with the document, and retry with the release that finds it.",
                        Retry.AFTER_FIX);
            case NOT_JSON ->
                new RefusalHelp(
                        reason,
                        "The document is no JSON in UTF-8 (RFC 7493), or its gzip is damaged.",
                        Fault.STRANGER,
                        "Nothing for scanners. " + DEVIATION,
                        Retry.AFTER_FIX);
            case TRUNCATED ->
                new RefusalHelp(
                        reason,
                        "The document or its gzip ends in the middle.",
                        Fault.SENDER,
                        "Look for a proxy or mail gateway of ours that cuts bodies. " + TELL_THE_SENDER,
                        Retry.NEVER);
            case TRAILING_CONTENT ->
                new RefusalHelp(
                        reason,
                        "Something follows the JSON document, so that it is not clear what was meant.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case DUPLICATE_MEMBER ->
                new RefusalHelp(
                        reason,
                        "A member stands twice in one object (RFC 7493 §2.3): which one counts would be a guess.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case TOO_DEEP ->
                new RefusalHelp(
                        reason,
                        "The JSON is nested deeper, or gzip wrapped more often, than any report is.",
                        Fault.STRANGER,
                        "Take it for an attack unless a known reporter sent it. " + DEVIATION,
                        Retry.AFTER_FIX);
            case MISSING_DATE_RANGE ->
                new RefusalHelp(
                        reason,
                        "`date-range` is missing, is half there, or is no date-time: the report belongs to no day.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case MISSING_POLICIES ->
                new RefusalHelp(
                        reason,
                        "`policies` is missing or no list: the report says nothing.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case MISSING_POLICY_TYPE ->
                new RefusalHelp(
                        reason,
                        "An entry does not say which policy it is about.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case MISSING_COUNT ->
                new RefusalHelp(
                        reason,
                        "An entry has neither of its two session counts.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case NO_SUBMITTER ->
                new RefusalHelp(
                        reason,
                        "Neither `contact-info` nor `organization-name` says who reports.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case INVALID_COUNT ->
                new RefusalHelp(
                        reason,
                        "A session count is negative, no integer, or larger than any count can be.",
                        Fault.SENDER,
                        DEVIATION,
                        Retry.AFTER_FIX);
            case IMPLAUSIBLE_DATE_RANGE ->
                new RefusalHelp(
                        reason,
                        "It starts over 48 h after it arrived, ends before it starts, or is over 8 days long.",
                        Fault.SENDER,
                        "Check the clock of this machine. A start in the future can be accepted once it is less than"
                                + " 48 h away; the others cannot. "
                                + TELL_THE_SENDER,
                        Retry.AFTER_FIX);
            case TOO_OLD ->
                new RefusalHelp(
                        reason,
                        "It starts longer before its arrival than reports are kept: an archive, or a sender far behind.",
                        Fault.SETTINGS,
                        "Raise `retention` so that it covers the archive (decades are fine), restart, and retry.",
                        Retry.AFTER_FIX);
            case TOO_LARGE ->
                new RefusalHelp(
                        reason,
                        "It is larger than we take, as sent or after un-gzip and un-MIME. Only its first 64 KiB were"
                                + " kept.",
                        Fault.STRANGER,
                        "Take it for an attack unless a known reporter sent it. For a genuine one raise"
                                + " `intake.max-body`, `intake.max-inflated` or `mail.smtp.max-message`, and import it"
                                + " from where it is whole, such as the mailbox.",
                        Retry.NEVER);
            case TOO_MANY_DETAILS ->
                new RefusalHelp(
                        reason,
                        "Its failure details would become over 64 MiB of events.",
                        Fault.STRANGER,
                        "Take it for an attack, or for a reporter gone mad: tell them.",
                        Retry.NEVER);
            case NOT_DKIM_SIGNED ->
                new RefusalHelp(
                        reason,
                        "The mail has no DKIM signature; reports without one must be ignored (RFC 8460 §3).",
                        Fault.SENDER,
                        "A forgery, unless something of ours strips signatures: let it pass them, or have our border"
                                + " verify them and name it in `mail.dkim.trusted-authserv-ids`. `mail.dkim.mode:"
                                + " observe` counts such reports as unauthenticated. For this one alone, vouch:"
                                + " `./tlsrpt rejected retry ID --vouch`.",
                        Retry.AFTER_FIX);
            case DKIM_FAILED ->
                new RefusalHelp(
                        reason,
                        "No DKIM signature by the reporting domain verified; the detail says what became of each:"
                                + " a body changed on the way, a key that is gone, or somebody else's signature.",
                        Fault.ON_THE_WAY,
                        "When the body hash differs, a gateway adds a banner or footer or rewrites links: exempt the"
                                + " address of the reports, or have the border verify before it changes anything and name"
                                + " it in `mail.dkim.trusted-authserv-ids`. When the key is gone, it was rotated before"
                                + " the mail reached us. When another domain signed, it is a forgery or a forwarder."
                                + " `mail.dkim.mode: observe` counts such reports as unauthenticated. For this one alone,"
                                + " vouch: `./tlsrpt rejected retry ID --vouch`.",
                        Retry.AFTER_FIX);
            case FOREIGN_DOMAIN ->
                new RefusalHelp(
                        reason,
                        "It is about domains that are not ours: anybody can publish our address in their record.",
                        Fault.SETTINGS,
                        "If the domain is ours, add it to `domains:` (reloaded while running) or accept a discovered one"
                                + " with `./tlsrpt domains accept DOMAIN`, and retry. If not, nothing.",
                        Retry.AFTER_FIX);
            case NO_POLICY_DOMAIN ->
                new RefusalHelp(
                        reason,
                        "An entry names no domain, and its channel stands for none.",
                        Fault.SENDER,
                        "Give the domain a rua of its own, a path token or a recipient with `channel-domain`; retry this"
                                + " one with `./tlsrpt rejected retry ID --channel-domain DOMAIN`.",
                        Retry.AFTER_FIX);
            case CONFLICTING_DUPLICATE ->
                new RefusalHelp(
                        reason,
                        "We have a report of this sender with the same id, start and domains and other numbers; the"
                                + " first stands. A sender that corrects itself, or a forgery of one of the two.",
                        Fault.SENDER,
                        "Compare the two. A copy that you vouch for takes the place of one whose sender was not"
                                + " authenticated, and of no other: `./tlsrpt rejected retry ID --vouch`.",
                        Retry.VOUCH);
            case INTERNAL ->
                new RefusalHelp(
                        reason,
                        "Something that nobody foresaw: somebody else writes to our topics, or a bug.",
                        Fault.PROGRAM,
                        "Please report it with the detail and the document; retry with the release that mends it.",
                        Retry.AFTER_FIX);
        };
    }
}
