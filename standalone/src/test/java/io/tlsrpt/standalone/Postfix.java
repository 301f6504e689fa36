package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.runtime.HostPort;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// A real Postfix on a free loopback port with configuration and queue in a directory of its own; needs root.
final class Postfix implements AutoCloseable {

    static final String PROGRAM = "/usr/sbin/postfix";

    private final Path directory;
    private final Path config;
    private final int port;
    private final Process process;

    /// @param transports where mail for a domain goes, such as `lmtp:inet:[127.0.0.1]:2424`
    Postfix(Path directory, Map<String, String> transports) throws IOException {
        this(directory, transports, Map.of("127.0.0.1", ""));
    }

    /// @param listeners loopback addresses, which all have the same port, with the settings of each, such as
    /// `-o smtpd_tls_security_level=may`
    Postfix(Path directory, Map<String, String> transports, Map<String, String> listeners) throws IOException {
        this.directory = directory;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        // its daemons are no root and look for their queue from the root directory down
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        config = Files.createDirectories(directory.resolve("config"));
        Files.createDirectories(directory.resolve("queue"));
        Path data = Files.createDirectories(directory.resolve("data"));
        Files.setOwner(
                data, data.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("postfix"));
        Files.writeString(config.resolve("main.cf"), """
                compatibility_level = 3.6
                queue_directory = %1$s/queue
                data_directory = %1$s/data
                maillog_file = %1$s/log
                maillog_file_prefixes = %1$s
                command_directory = /usr/sbin
                daemon_directory = /usr/lib/postfix/sbin
                mail_owner = postfix
                setgid_group = postdrop
                myhostname = relay.example
                mydestination =
                alias_maps =
                alias_database =
                inet_interfaces = 127.0.0.1
                inet_protocols = ipv4
                mynetworks = 127.0.0.0/8
                relay_domains = %2$s
                transport_maps = inline:{ %3$s }
                smtp_dns_support_level = disabled
                smtp_tls_security_level = may
                smtp_tls_loglevel = 1
                """.formatted(
                        directory,
                        String.join(", ", transports.keySet()),
                        transports.entrySet().stream()
                                .map(each -> "{ " + each.getKey() + " = " + each.getValue() + " }")
                                .collect(Collectors.joining(", "))));
        Files.writeString(config.resolve("master.cf"), """
                %s
                pickup unix n - n 60 1 pickup
                cleanup unix n - n - 0 cleanup
                qmgr unix n - n 300 1 qmgr
                tlsmgr unix - - n 1000? 1 tlsmgr
                rewrite unix - - n - - trivial-rewrite
                bounce unix - - n - 0 bounce
                defer unix - - n - 0 bounce
                trace unix - - n - 0 bounce
                flush unix n - n 1000? 0 flush
                proxymap unix - - n - - proxymap
                smtp unix - - n - - smtp
                lmtp unix - - n - - lmtp
                relay unix - - n - - smtp
                showq unix n - n - - showq
                error unix - - n - - error
                retry unix - - n - - error
                anvil unix - - n - 1 anvil
                scache unix - - n - 1 scache
                postlog unix-dgram n - n - 1 postlogd
                """.formatted(listeners.entrySet().stream()
                .map(each -> each.getKey() + ":" + port + " inet n - n - - smtpd " + each.getValue())
                .collect(Collectors.joining("\n"))));
        process = new ProcessBuilder(PROGRAM, "-c", config.toString(), "start-fg")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(log()).contains("daemon started"));
    }

    /// Where it takes mail.
    HostPort address() {
        return new HostPort("127.0.0.1", port);
    }

    /// What waits, a line of JSON each.
    List<String> queue() throws IOException, InterruptedException {
        return run("-j").lines().toList();
    }

    /// Makes it try again at once.
    void flush() throws IOException, InterruptedException {
        run("-f");
    }

    String log() throws IOException {
        Path log = directory.resolve("log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    private String run(String option) throws IOException, InterruptedException {
        Process command = new ProcessBuilder("/usr/sbin/postqueue", "-c", config.toString(), option)
                .redirectErrorStream(true)
                .start();
        String output = new String(command.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(command.waitFor()).as(output).isZero();
        return output;
    }

    @Override
    public void close() {
        try {
            new ProcessBuilder(PROGRAM, "-c", config.toString(), "stop")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor(30, TimeUnit.SECONDS);
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }
}
