package io.tlsrpt.runtime;

/// Where a listener listens: `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one.
public record HostPort(String host, int port) {

    /// @throws IllegalArgumentException when the text is no address with a port from 0 to 65535
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0) {
            throw new IllegalArgumentException("expected host:port");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException("expected host:port with a number as port", notANumber);
        }
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("expected a port from 0 to 65535");
        }
        return new HostPort(host, port);
    }

    /// Whether the host, as written, is this machine's own: decided from the text, nothing is looked up.
    public boolean isLoopback() {
        return host.equals("localhost") || host.equals("::1") || host.startsWith("127.");
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
