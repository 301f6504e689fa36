package io.tlsrpt.moving;

/// An export or a restore cannot be done; the message says why and what to do next.
public final class MovingFault extends RuntimeException {

    private static final long serialVersionUID = 1;

    MovingFault(String message) {
        super(message);
    }

    MovingFault(String message, Throwable cause) {
        super(message, cause);
    }
}
