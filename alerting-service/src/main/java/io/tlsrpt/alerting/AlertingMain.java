package io.tlsrpt.alerting;

import io.tlsrpt.runtime.ServiceHost;

/// Runs the alerting-service as a process of its own.
public final class AlertingMain {

    private AlertingMain() {}

    public static void main(String[] args) {
        ServiceHost.main(args, AlertingService::new);
    }
}
