package io.tlsrpt.alerting;

/// Rule 0: a reporter that sees a failure at many domains where the others see none is itself at fault, by a wrong
/// clock
/// or a broken resolver.
///
/// That nobody agrees says nothing as long as nobody else has looked: the first report of a real outage stands alone as
/// well. So somebody must contradict.
final class ReporterFaultRule {

    private static final int DOMAINS = 10;
    private static final int CONTRADICTED = 2;

    private ReporterFaultRule() {}

    static boolean holds(ReporterDay.Side side, String type) {
        ReporterDay.Count count = side.of(type);
        return side.domains() >= DOMAINS
                && atLeastAFifth(count.failing(), side.domains())
                && count.contradicted() >= CONTRADICTED
                && atLeastAFifth(count.contradicted(), count.failing())
                && !atLeastAFifth(count.agreed(), count.agreed() + count.contradicted());
    }

    /// Whether a later day shows that it is over: at least half as many domains, and the failure at less than a fifth.
    static boolean clean(ReporterDay.Side side, String type, ReporterDay.Side bad) {
        return side.domains() > 0
                && 2L * side.domains() >= bad.domains()
                && !atLeastAFifth(side.of(type).failing(), side.domains());
    }

    private static boolean atLeastAFifth(int part, int whole) {
        return 5L * part >= whole;
    }
}
