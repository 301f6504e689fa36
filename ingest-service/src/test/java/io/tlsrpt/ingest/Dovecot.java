package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/// A real Dovecot with the mailbox of one user, `reports` with password `secret`, on free loopback ports. Its mails are
/// Maildir files, which a test writes and reads directly.
public final class Dovecot implements AutoCloseable {

    public static final String USER = "reports";
    private static final String BINARY = "/usr/sbin/dovecot";

    private final Path directory;
    private final int port = freePort();
    private final int tlsPort = freePort();
    private final String more;
    private final @Nullable UserPrincipal owner;
    private @Nullable Process process;
    private int delivered;

    private Dovecot(String more) {
        this.more = more;
        try {
            this.directory = Files.createTempDirectory("dovecot");
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            this.owner = root()
                    ? directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("mail")
                    : null;
            certificate();
            password("secret");
            Files.writeString(directory.resolve("dovecot.conf"), configuration());
            own(Files.createDirectories(directory.resolve("mail")));
            folder("INBOX");
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// @param more lines of its configuration
    public static Dovecot running(String... more) {
        if (!Files.isExecutable(Path.of(BINARY))) {
            String missing = "not installed: the Debian package dovecot-imapd";
            assertThat(System.getenv("CI")).as(missing).isNull();
            System.out.println("Tests with a real IMAP server were not run: " + missing);
            Assumptions.abort(missing);
        }
        Dovecot dovecot = new Dovecot(String.join("\n", more));
        dovecot.start();
        return dovecot;
    }

    private static boolean root() {
        return "root".equals(System.getProperty("user.name"));
    }

    private String configuration() {
        String me = System.getProperty("user.name");
        String mail = root() ? "mail" : me;
        return """
                base_dir = %1$s/run
                state_dir = %1$s/state
                log_path = %1$s/log
                protocols = imap
                listen = 127.0.0.1
                ssl = yes
                ssl_cert = <%1$s/cert.pem
                ssl_key = <%1$s/key.pem
                disable_plaintext_auth = no
                auth_failure_delay = 0
                first_valid_uid = 1
                mail_location = maildir:%1$s/mail
                passdb {
                  driver = passwd-file
                  mechanisms = plain login
                  args = scheme=plain %1$s/users
                }
                userdb {
                  driver = static
                  args = uid=%2$s gid=%2$s home=%1$s/mail allow_all_users=yes
                }
                service imap-login {
                  inet_listener imap {
                    port = %3$d
                  }
                  inet_listener imaps {
                    port = %4$d
                  }
                %5$s
                }
                %6$s
                """.formatted(
                        directory,
                        mail,
                        port,
                        tlsPort,
                        root() ? "" : "chroot =\n}\nservice anvil {\nchroot =",
                        (root() ? "" : "default_internal_user = " + me + "\ndefault_login_user = " + me + "\n") + more);
    }

    private void certificate() throws IOException {
        Path store = directory.resolve("key.p12");
        run(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "imap",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-validity",
                "3650",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit");
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, "changeit".toCharArray());
            pem("cert.pem", "CERTIFICATE", keys.getCertificate("imap").getEncoded());
            pem(
                    "key.pem",
                    "PRIVATE KEY",
                    keys.getKey("imap", "changeit".toCharArray()).getEncoded());
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private void pem(String file, String type, byte[] bytes) throws IOException {
        Files.writeString(
                directory.resolve(file),
                "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + type
                        + "-----\n");
    }

    private static void run(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(process.waitFor()).as(command[0]).isZero();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    public int port() {
        return port;
    }

    public int tlsPort() {
        return tlsPort;
    }

    /// The certificate, for the name `localhost`, that it signed itself.
    public Path certificateFile() {
        return directory.resolve("cert.pem");
    }

    /// From the next login on.
    public void password(String password) throws IOException {
        Files.writeString(directory.resolve("users"), USER + ":{PLAIN}" + password + "\n");
    }

    public void start() {
        try {
            process = new ProcessBuilder(
                            BINARY,
                            "-F",
                            "-c",
                            directory.resolve("dovecot.conf").toString())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("out").toFile())
                    .start();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
        await().atMost(Duration.ofSeconds(20)).until(this::answers);
    }

    private boolean answers() throws IOException {
        Process running = process;
        if (running == null || !running.isAlive()) {
            throw new IllegalStateException("Dovecot ended: " + Files.readString(directory.resolve("out")));
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.getInputStream().read() == '*';
        } catch (IOException notYet) {
            return false;
        }
    }

    public void stop() {
        Process running = process;
        process = null;
        if (running != null) {
            running.destroy();
            try {
                if (!running.waitFor(10, TimeUnit.SECONDS)) {
                    running.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                running.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    public String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }

    /// Puts a mail into a folder, as a delivery agent does.
    ///
    /// @param flags Maildir's: `S` when somebody has seen it, `T` when it is deleted
    public void deliver(String folder, byte[] mail, Instant when, String flags) throws IOException {
        Path maildir = folder(folder);
        String name = (1_000_000_000 + ++delivered) + ".M" + delivered + ".test";
        Path unfinished = maildir.resolve("tmp").resolve(name);
        Files.write(unfinished, mail);
        own(unfinished);
        Files.setLastModifiedTime(unfinished, FileTime.from(when));
        Files.move(
                unfinished,
                flags.isEmpty()
                        ? maildir.resolve("new").resolve(name)
                        : maildir.resolve("cur").resolve(name + ":2," + flags));
    }

    /// The flags of the mails in a folder in the order of delivery, such as `S` for seen and `a` for the first keyword.
    public List<String> flags(String folder) throws IOException {
        TreeMap<String, String> flags = new TreeMap<>();
        Path maildir = maildir(folder);
        for (String part : List.of("new", "cur")) {
            Path directory = maildir.resolve(part);
            if (Files.isDirectory(directory)) {
                try (Stream<Path> files = Files.list(directory)) {
                    for (Path file : files.toList()) {
                        String name = file.getFileName().toString();
                        int info = name.indexOf(":2,");
                        flags.put(name.replaceFirst("[,:].*", ""), info < 0 ? "" : name.substring(info + 3));
                    }
                }
            }
        }
        return new ArrayList<>(flags.values());
    }

    /// The keywords that its `a`, `b` … stand for.
    public List<String> keywords(String folder) throws IOException {
        Path file = maildir(folder).resolve("dovecot-keywords");
        return Files.exists(file)
                ? Files.readAllLines(file).stream()
                        .map(line -> line.substring(line.indexOf(' ') + 1))
                        .toList()
                : List.of();
    }

    private Path maildir(String folder) {
        Path mail = directory.resolve("mail");
        return folder.equals("INBOX") ? mail : mail.resolve("." + folder);
    }

    private Path folder(String folder) throws IOException {
        Path maildir = maildir(folder);
        if (!Files.isDirectory(maildir.resolve("tmp"))) {
            own(Files.createDirectories(maildir));
            for (String part : List.of("tmp", "new", "cur")) {
                own(Files.createDirectories(maildir.resolve(part)));
            }
        }
        return maildir;
    }

    private void own(Path file) throws IOException {
        if (owner != null) {
            Files.setOwner(file, owner);
        }
    }

    @Override
    public void close() {
        stop();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// A line end as mails have it.
    static byte[] crlf(String text) {
        return text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8);
    }
}
