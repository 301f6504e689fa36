package io.tlsrpt.dkim;

/// Collects canonical text in small pieces and hands it on in large ones, so that no canonical copy of a mail ever
/// exists.
final class HashInput {

    /// What takes the bytes: a digest or a signature check.
    @FunctionalInterface
    interface Sink {
        void update(byte[] bytes, int offset, int length);
    }

    private final byte[] buffer = new byte[8192];
    private final Sink sink;
    private int filled;

    HashInput(Sink sink) {
        this.sink = sink;
    }

    void put(byte b) {
        if (filled == buffer.length) {
            flush();
        }
        buffer[filled++] = b;
    }

    void put(byte[] bytes, int from, int to) {
        if (to - from > buffer.length - filled) {
            flush();
            if (to - from > buffer.length) {
                sink.update(bytes, from, to - from);
                return;
            }
        }
        System.arraycopy(bytes, from, buffer, filled, to - from);
        filled += to - from;
    }

    void crlf() {
        put((byte) '\r');
        put((byte) '\n');
    }

    void flush() {
        sink.update(buffer, 0, filled);
        filled = 0;
    }
}
