package io.tlsrpt.console;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import java.net.URI;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// The names by which a listener on a loopback address may be called: a web page that makes its own name resolve to
/// 127.0.0.1 (DNS rebinding) would otherwise let a browser read everything here. Allowed are `localhost`, the host of
/// `alerting.public-url`, and any IP address, which no foreign name can stand for.
final class LoopbackNames {

    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    private final boolean loopback;
    private final Set<String> allowed = new HashSet<>(Set.of("localhost"));

    LoopbackNames(Settings settings) {
        this(settings.api().listen(), settings.alerting().publicUrl());
    }

    LoopbackNames(HostPort listen, String publicUrl) {
        String host = listen.host();
        loopback = host.equals("localhost") || host.equals("::1") || host.startsWith("127.");
        String publicHost = URI.create(publicUrl).getHost();
        if (publicHost != null) {
            allowed.add(publicHost.toLowerCase(Locale.ROOT));
        }
    }

    /// @param authority the Host header, with or without a port; empty when the client sent none, which no browser does
    boolean allow(String authority) {
        if (!loopback || authority.isEmpty() || authority.startsWith("[")) {
            return true;
        }
        int colon = authority.indexOf(':');
        String host = (colon < 0 ? authority : authority.substring(0, colon)).toLowerCase(Locale.ROOT);
        return allowed.contains(host) || IPV4.matcher(host).matches();
    }
}
