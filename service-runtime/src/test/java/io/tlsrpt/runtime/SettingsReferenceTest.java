package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// `docs/settings.md` against [Settings]. With `-Dtlsrpt.docs.write=true` the page is written anew.
class SettingsReferenceTest {

    private static final Path PAGE = Path.of("..", "docs", "settings.md");
    private static final String BEGIN = "<!-- generated: begin -->\n";
    private static final String END = "<!-- generated: end -->\n";

    @Test
    void thePageListsEverySettingAsTheCodeExplainsIt() throws IOException {
        String page = Files.readString(PAGE);
        assertThat(page).containsOnlyOnce(BEGIN).containsOnlyOnce(END);
        String expected = page.substring(0, page.indexOf(BEGIN) + BEGIN.length())
                + "\n"
                + SettingsDocument.markdown()
                + "\n"
                + page.substring(page.indexOf(END));
        if (Boolean.getBoolean("tlsrpt.docs.write")) {
            Files.writeString(PAGE, expected);
        }
        assertThat(Files.readString(PAGE))
                .as("run with -Dtlsrpt.docs.write=true to write the page anew")
                .isEqualTo(expected);
    }
}
