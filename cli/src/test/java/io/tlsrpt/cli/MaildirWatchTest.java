package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaildirWatchTest {

    private final ImportServer server = new ImportServer();
    private final Captured cli = new Captured(false);
    private final List<Runnable> meanwhile = new ArrayList<>();

    @TempDir
    private Path directory;

    private Path maildir = Path.of("");

    @BeforeEach
    void aMaildir() throws IOException {
        maildir = directory.resolve("Maildir");
        for (String folder : List.of("cur", "new", "tmp", ".TLS/cur", ".TLS/new", ".TLS/tmp")) {
            Files.createDirectories(maildir.resolve(folder));
        }
    }

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void whatIsThereIsImportedFirstAndThenWhatComes() throws IOException {
        mail("cur/1.a:2,S");
        mail("new/2.a");
        meanwhile.add(() -> mail(".TLS/new/3.a"));
        meanwhile.add(() -> mail("tmp/4.a"));

        assertThat(watch()).isZero();

        assertThat(server.requests)
                .containsExactly(List.of(path("cur/1.a:2,S"), path("new/2.a")), List.of(path(".TLS/new/3.a")));
        assertThat(cli.lines().getLast()).isEqualTo("accepted 3, duplicate 0, conflict 0, rejected 0");
    }

    @Test
    void aMailThatMovesIsTheSameMail() {
        mail("new/1.a,S=10");
        meanwhile.add(() -> move("new/1.a,S=10", "cur/1.a,S=10:2,"));
        meanwhile.add(() -> move("cur/1.a,S=10:2,", "cur/1.a,S=10:2,RS"));
        meanwhile.add(() -> move("cur/1.a,S=10:2,RS", ".TLS/cur/1.a,S=10:2,RS"));

        watch();

        assertThat(server.requests).containsExactly(List.of(path("new/1.a,S=10")));
    }

    @Test
    void aRestartRemembersWhatWasImported() {
        mail("new/1.a");
        watch();
        mail("new/2.a");
        move("new/1.a", "cur/1.a:2,S");

        watch();

        assertThat(server.requests).containsExactly(List.of(path("new/1.a")), List.of(path("new/2.a")));
    }

    @Test
    void aServerThatIsAwayIsWaitedForAlsoAtTheStart() {
        mail("new/1.a");
        for (int i = 0; i < 1_000; i++) {
            server.troubles.add(i % 2 == 0 ? ImportServer.Trouble.UNAVAILABLE : ImportServer.Trouble.BROKEN_OFF);
        }

        watch();

        assertThat(cli.lines().getLast()).isEqualTo("accepted 1, duplicate 0, conflict 0, rejected 0");
        assertThat(cli.err()).contains("waiting for " + server.url());
        assertThat(cli.pauses.get(100)).hasSeconds(10);
    }

    @Test
    void whatIsNotStoredIsNotRemembered() {
        mail("new/1.a");
        server.troubles.add(ImportServer.Trouble.BUSY_LINE);

        watch();

        assertThat(server.requests).hasSize(2);
    }

    @Test
    void aRejectedMailIsToldAndNotSentAgain() throws IOException {
        Files.writeString(maildir.resolve("new/1.a"), "rejected");

        watch();

        assertThat(cli.lines()).anyMatch(line -> line.startsWith("rejected  " + path("new/1.a")));
        assertThat(server.requests).hasSize(1);
    }

    @Test
    void theStateMayLieElsewhere() {
        mail("new/1.a");

        watch("--state", directory.resolve("state").toString());

        assertThat(directory.resolve("state")).hasContent("1.a");
        assertThat(maildir.resolve(".tlsrpt-imported")).doesNotExist();
    }

    @Test
    void namesOfMailsThatAreGoneAreForgotten() throws IOException {
        Path state = maildir.resolve(".tlsrpt-imported");
        Files.write(
                state,
                java.util.stream.IntStream.range(0, 5_000)
                        .mapToObj(i -> i + ".gone")
                        .toList());
        mail("new/1.a");

        watch();

        assertThat(state).hasContent("1.a");
    }

    @Test
    void aDirectoryWithoutMaildirsIsNotWatched() throws IOException {
        Path empty = Files.createDirectory(directory.resolve("empty"));

        assertThat(cli.run(server.url(), "import", "--watch", empty.toString())).isEqualTo(1);
        assertThat(cli.err()).contains("there is none in " + empty);
    }

    @Test
    void anImportWithoutWatchTakesTheMailsOfAMaildirAndNothingBeside() throws IOException {
        mail("cur/1.a:2,S");
        mail("new/2.a");
        mail("tmp/3.a");
        mail(".TLS/cur/4.a");
        Files.writeString(maildir.resolve("dovecot.index.cache"), "x");

        cli.run(server.url(), "import", directory.toString());

        assertThat(server.requests)
                .containsExactly(List.of(path(".TLS/cur/4.a"), path("cur/1.a:2,S"), path("new/2.a")));
        assertThat(cli.lines().getFirst())
                .isEqualTo("passed over 3: what a mail server keeps in Maildirs beside the mails");
    }

    /// Watches while the changes happen, one at each pause, and a little longer.
    private int watch(String... options) {
        List<String> arguments = new ArrayList<>(List.of("import", "--watch"));
        arguments.addAll(List.of(options));
        arguments.add(maildir.toString());
        int[] listings = {0};
        Thread watching = Thread.currentThread();
        int code = Commands.root(
                        new Commands.Defaults(server.url(), "127.0.0.1:1", "tlsrpt."),
                        cli.terminal,
                        cli.nanos::get,
                        pause -> {
                            cli.pauses.add(pause);
                            cli.nanos.addAndGet(pause.toNanos());
                            if (!pause.equals(MaildirWatch.LISTED_EVERY) || !server.troubles.isEmpty()) {
                                return;
                            }
                            if (!meanwhile.isEmpty()) {
                                meanwhile.removeFirst().run();
                            } else if (++listings[0] == 3) {
                                watching.interrupt();
                            }
                        })
                .execute(arguments.toArray(String[]::new));
        assertThat(Thread.interrupted()).isTrue();
        return code;
    }

    private void mail(String name) {
        try {
            Files.writeString(maildir.resolve(name), "accepted");
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private void move(String from, String to) {
        try {
            Files.move(maildir.resolve(from), maildir.resolve(to));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private String path(String name) {
        return maildir.resolve(name).toString();
    }
}
