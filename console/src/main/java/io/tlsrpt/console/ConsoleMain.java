package io.tlsrpt.console;

import io.tlsrpt.runtime.ServiceHost;

/// The console as a process of its own: `[--config FILE]`.
public final class ConsoleMain {

    private ConsoleMain() {}

    public static void main(String[] args) {
        ServiceHost.main(args, ConsoleService::new);
    }
}
