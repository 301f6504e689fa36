package io.tlsrpt.stream;

import io.tlsrpt.runtime.ServiceHost;

/// The stream processor as a process of its own: `[--config FILE]`.
final class ProcessorMain {

    private ProcessorMain() {}

    public static void main(String[] args) {
        ServiceHost.main(args, ProcessorService::new);
    }
}
