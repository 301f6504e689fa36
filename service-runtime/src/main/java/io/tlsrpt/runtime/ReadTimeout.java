package io.tlsrpt.runtime;

import io.helidon.common.socket.SocketOptions;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Socket options whose read timeout holds for accepted connections too, from their TLS handshake on: the server itself
/// knows that option and does not use it.
record ReadTimeout(SocketOptions of) implements SocketOptions {

    @Override
    public void configureSocket(SocketChannel channel) {
        of.configureSocket(channel);
        try {
            channel.socket().setSoTimeout(Math.toIntExact(readTimeout().toMillis()));
        } catch (SocketException closed) {
            throw new UncheckedIOException(closed);
        }
    }

    @Override
    public Duration readTimeout() {
        return of.readTimeout();
    }

    @Override
    public Duration connectTimeout() {
        return of.connectTimeout();
    }

    @Override
    public Map<SocketOption<?>, Object> socketOptions() {
        return of.socketOptions();
    }

    @Override
    public Optional<Integer> socketReceiveBufferSize() {
        return of.socketReceiveBufferSize();
    }

    @Override
    public Optional<Integer> socketSendBufferSize() {
        return of.socketSendBufferSize();
    }

    @Override
    public boolean socketReuseAddress() {
        return of.socketReuseAddress();
    }

    @Override
    public boolean socketKeepAlive() {
        return of.socketKeepAlive();
    }

    @Override
    public boolean tcpNoDelay() {
        return of.tcpNoDelay();
    }
}
