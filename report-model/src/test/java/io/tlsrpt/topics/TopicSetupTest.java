package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TopicSetupTest {

    @Test
    void aStartWarnsWhereAnAcknowledgedReportMayLieOnOneDiskAlone() {
        assertThat(TopicSetup.oneCopy("tlsrpt.reports.raw", 1, 1))
                .hasValueSatisfying(warning -> assertThat(warning).contains("replication factor 1"));
        assertThat(TopicSetup.oneCopy("tlsrpt.reports.raw", 3, 1))
                .hasValueSatisfying(warning -> assertThat(warning).contains("min.insync.replicas=1"));
        assertThat(TopicSetup.oneCopy("tlsrpt.reports.raw", 3, 2)).isEmpty();
    }
}
