package io.tlsrpt.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A Markdown file of this project, as far as its tests need to understand it.
record Document(Path path, String text) {

    /// The root of the project.
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Set<String> NOT_OURS = Set.of("target", "data", "node_modules");
    private static final Pattern FENCE =
            Pattern.compile("^```([a-z]*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern SPAN = Pattern.compile("`([^`\\n]+)`");
    private static final Pattern LINK = Pattern.compile("\\[([^\\]\\n]*)]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^#{1,6} (.+)$", Pattern.MULTILINE);

    /// @param text shown
    record Link(String text, String target) {}

    /// @param language after the fence; empty when none is given
    record Block(String language, String text) {}

    static Document of(String fromRoot) {
        return read(ROOT.resolve(fromRoot));
    }

    /// Every Markdown file of the project.
    static List<Document> all() {
        List<Path> files = new ArrayList<>();
        find(ROOT, files);
        return files.stream().sorted().map(Document::read).toList();
    }

    private static void find(Path directory, List<Path> files) {
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.toList()) {
                String name = String.valueOf(entry.getFileName());
                if (Files.isDirectory(entry) && !name.startsWith(".") && !NOT_OURS.contains(name)) {
                    find(entry, files);
                } else if (name.endsWith(".md")) {
                    files.add(entry);
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static Document read(Path path) {
        return new Document(path, source(path));
    }

    static String source(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    String name() {
        return ROOT.relativize(path).toString();
    }

    private String prose() {
        return FENCE.matcher(text).replaceAll("");
    }

    List<Link> links() {
        return LINK.matcher(prose())
                .results()
                .map(link -> new Link(link.group(1), link.group(2)))
                .toList();
    }

    List<Block> blocks() {
        return FENCE.matcher(text)
                .results()
                .map(fence -> new Block(fence.group(1), fence.group(2)))
                .toList();
    }

    /// What stands between backticks in the prose.
    List<String> spans() {
        return SPAN.matcher(prose()).results().map(span -> span.group(1)).toList();
    }

    /// Spans and lines of blocks.
    List<String> code() {
        return Stream.concat(
                        spans().stream(),
                        blocks().stream().flatMap(block -> block.text().lines()))
                .toList();
    }

    /// The anchors of its headings, as GitHub makes them.
    Set<String> anchors() {
        Set<String> anchors = new LinkedHashSet<>();
        Map<String, Integer> seen = new HashMap<>();
        for (MatchResult heading : HEADING.matcher(prose()).results().toList()) {
            String shown = LINK.matcher(heading.group(1)).replaceAll("$1");
            String anchor = shown.toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N} _-]", "")
                    .replace(' ', '-');
            int before = seen.merge(anchor, 1, Integer::sum) - 1;
            anchors.add(before == 0 ? anchor : anchor + "-" + before);
        }
        return anchors;
    }

    List<String> all(Pattern pattern) {
        return pattern.matcher(text).results().map(MatchResult::group).toList();
    }
}
