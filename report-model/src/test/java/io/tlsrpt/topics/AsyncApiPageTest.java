package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// `docs/asyncapi.html` against `docs/asyncapi.yaml`. With `-Dtlsrpt.docs.write=true` the page is written anew.
class AsyncApiPageTest {

    private static final Path DOCS = Path.of("../docs");
    private static final Path PAGE = DOCS.resolve("asyncapi.html");

    @Test
    void thePageSaysWhatTheDocumentSays() throws IOException {
        String page = AsyncApiPage.of(DOCS);
        if (Boolean.getBoolean("tlsrpt.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE))
                .as("run with -Dtlsrpt.docs.write=true to write the page anew")
                .isEqualTo(page);
    }

    @Test
    void everyTopicAndNoScriptIsOnThePage() {
        String page = AsyncApiPage.of(DOCS);
        new Topics("tlsrpt.", Duration.ofDays(400))
                .all()
                .forEach(topic -> assertThat(page).contains("<code>" + topic.name() + "</code></h2>"));
        assertThat(page).doesNotContain("<script", "src=", "url(", "href=\"http");
    }
}
