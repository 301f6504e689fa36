package io.tlsrpt.ingest;

import io.tlsrpt.runtime.ServiceHost;

/// The ingest service as a process of its own.
public final class IngestMain {

    private IngestMain() {}

    public static void main(String[] args) {
        ServiceHost.main(args, IngestService::new);
    }
}
