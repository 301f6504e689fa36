package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.SettingsDocument;
import io.tlsrpt.runtime.SettingsFault;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// What the documents say against what the code does.
class DocumentsTest {

    private static final List<Document> DOCUMENTS = Document.all();
    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));

    private static final Pattern METER = Pattern.compile(
            "tlsrpt\\.(?:http|api|health|certificate|alerts|intake|discovery|import|mail|smtp|mailbox|spool|processor|detection|notifications|heartbeat|inspector|canary|console)\\.[a-z.-]*[a-z]");
    private static final Pattern OUR_NAME = Pattern.compile("(?<![\\w/.@-])tlsrpt\\.[a-z][a-z0-9.-]*[a-z0-9]");
    private static final Pattern PROMETHEUS_NAME = Pattern.compile("\\btlsrpt_[a-z_]*[a-z]");
    private static final Pattern COMMAND = Pattern.compile("\\./tlsrpt((?: +[\\w.:/=|\\[\\]-]+)*)");
    private static final Pattern SETTING =
            Pattern.compile("(?:kafka|intake|api|admin|alerting|domains\\[])\\.[a-z][a-z.\\[\\]-]*");

    /// Names that begin like ours and are neither topics nor schemas nor meters.
    private static final Set<String> OTHER_NAMES = Set.of(
            "tlsrpt.yaml",
            "tlsrpt.p12",
            "tlsrpt.example.com",
            "tlsrpt.alert.firing",
            "tlsrpt.alert.resolved",
            "tlsrpt.notice",
            "tlsrpt.stream-processor",
            "tlsrpt.alerting-service",
            "tlsrpt.notification-pipeline",
            "tlsrpt.docs.write",
            "tlsrpt.release.write");

    @Test
    void everyLinkLeadsSomewhere() {
        List<String> broken = new ArrayList<>();
        int relative = 0;
        for (Document document : DOCUMENTS) {
            for (Document.Link link : document.links()) {
                if (link.target().matches("[a-z]+:.*")) {
                    continue;
                }
                relative++;
                int hash = link.target().indexOf('#');
                String file = hash < 0 ? link.target() : link.target().substring(0, hash);
                Path path = file.isEmpty()
                        ? document.path()
                        : document.path().resolveSibling(file).normalize();
                boolean there = Files.exists(path)
                        && (hash < 0
                                || new Document(path, Document.source(path))
                                        .anchors()
                                        .contains(link.target().substring(hash + 1)));
                if (!there) {
                    broken.add(document.name() + ": " + link.target());
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(relative).isGreaterThan(200);
    }

    @Test
    void everyPageIsLinkedFromAnother() {
        Set<Path> linked = DOCUMENTS.stream()
                .flatMap(document -> document.links().stream()
                        .map(link -> document.path()
                                .resolveSibling(link.target().replaceFirst("#.*", ""))
                                .normalize())
                        .filter(target -> !target.equals(document.path())))
                .collect(Collectors.toSet());
        assertThat(DOCUMENTS.stream()
                        .filter(document -> !document.name().equals("README.md") && !linked.contains(document.path()))
                        .map(Document::name))
                .isEmpty();
    }

    @Test
    void everyCommandAndOptionExists() {
        List<String> wrong = new ArrayList<>();
        Set<String> shown = new TreeSet<>();
        for (Document document : DOCUMENTS) {
            for (String code : document.code()) {
                for (MatchResult command : COMMAND.matcher(code).results().toList()) {
                    List<String> words = Stream.of(command.group(1).strip().split("[ \\[\\]]+"))
                            .filter(word -> !word.isEmpty() && !word.equals("|"))
                            .toList();
                    fault(words, shown).ifPresent(fault -> wrong.add(document.name() + ": " + code + ": " + fault));
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(shown)
                .as("every command is shown somewhere")
                .containsAll(leaves("", StandaloneMain.commands().getCommandSpec()));
    }

    private static Optional<String> fault(List<String> words, Set<String> shown) {
        CommandSpec command = StandaloneMain.commands().getCommandSpec();
        StringBuilder path = new StringBuilder();
        boolean value = false;
        int positionals = 0;
        for (String word : words) {
            CommandLine child = command.subcommands().get(word);
            OptionSpec option = command.findOption(word);
            if (value) {
                value = false;
            } else if (child != null) {
                command = child.getCommandSpec();
                path.append(path.isEmpty() ? "" : " ").append(word);
            } else if (word.startsWith("-")) {
                if (option == null) {
                    return Optional.of("no option " + word);
                }
                value = option.arity().max() > 0;
            } else {
                List<PositionalParamSpec> parameters = command.positionalParameters();
                if (parameters.isEmpty() || (parameters.size() == 1 && positionals > 0 && !many(parameters))) {
                    return Optional.of("no argument " + word);
                }
                positionals++;
                Iterable<String> candidates = parameters.getFirst().completionCandidates();
                if (candidates != null && !word.matches("[A-Z]+")) {
                    List<String> known = new ArrayList<>();
                    candidates.forEach(known::add);
                    if (!known.isEmpty() && !known.containsAll(Arrays.asList(word.split("\\|")))) {
                        return Optional.of("no " + word);
                    }
                }
            }
        }
        shown.add(path.toString());
        return Optional.empty();
    }

    private static boolean many(List<PositionalParamSpec> parameters) {
        return parameters.getFirst().arity().max() > 1;
    }

    private static List<String> leaves(String path, CommandSpec command) {
        if (command.subcommands().isEmpty()) {
            return List.of(path);
        }
        return command.subcommands().entrySet().stream()
                .flatMap(child ->
                        leaves(
                                (path + " " + child.getKey()).strip(),
                                child.getValue().getCommandSpec())
                                .stream())
                .toList();
    }

    @Test
    void everyNameThatBeginsLikeOursIsATopicASchemaAMeterOrATable() {
        Set<String> known = new TreeSet<>(OTHER_NAMES);
        known.addAll(meters());
        for (Topics.Topic topic : TOPICS.all()) {
            known.add(topic.name());
            known.add(topic.schema().replaceFirst("/.*", ""));
        }
        Set<String> tables = Pattern.compile("CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) (\\w+)")
                .matcher(Document.source(Document.ROOT.resolve("deploy/connect/postgresql.sql")))
                .results()
                .map(table -> table.group(1))
                .collect(Collectors.toSet());
        for (Document document : DOCUMENTS) {
            assertThat(known).as(document.name()).containsAll(document.all(OUR_NAME));
            assertThat(document.all(PROMETHEUS_NAME))
                    .as(document.name())
                    .allMatch(name -> isPrometheusName(name) || tables.contains(name));
        }
    }

    private static boolean isPrometheusName(String name) {
        return meters().stream()
                .map(meter -> meter.replaceAll("[.-]", "_"))
                .anyMatch(meter -> name.equals(meter) || name.equals(meter + "_total"));
    }

    @Test
    void theMetersInOperationsAreThoseOfTheCode() {
        Set<String> named = Document.of("docs/operations.md").spans().stream()
                .filter(span -> METER.matcher(span).matches())
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(named).hasSizeGreaterThan(20).isEqualTo(meters());
    }

    private static Set<String> meters() {
        Pattern literal = Pattern.compile("\"(" + METER.pattern() + ")\"");
        return sources().stream()
                .flatMap(file -> literal.matcher(Document.source(file)).results())
                .map(name -> name.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Path> sources() {
        try (Stream<Path> modules = Files.list(Document.ROOT)) {
            List<Path> files = new ArrayList<>();
            for (Path module :
                    modules.map(directory -> directory.resolve("src/main/java")).toList()) {
                if (Files.isDirectory(module)) {
                    try (Stream<Path> found = Files.walk(module)) {
                        found.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
                    }
                }
            }
            return files;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @Test
    void theTableOfTopicsIsTheCatalogue() {
        List<String> rows = Document.of("docs/topics.md")
                .text()
                .lines()
                .filter(line -> line.startsWith("| [`tlsrpt."))
                .toList();
        assertThat(rows).hasSameSizeAs(TOPICS.all());
        for (int i = 0; i < rows.size(); i++) {
            Topics.Topic topic = TOPICS.all().get(i);
            String[] cells = rows.get(i).split("\\|", -1);
            assertThat(cells[1]).contains("`" + topic.name() + "`");
            assertThat(cells[4]).contains(topic.cleanup());
            if (topic.retention() != null && !topic.retention().equals(TOPICS.retention())) {
                assertThat(cells[4]).contains(topic.retention().toDays() + " days");
            }
        }
    }

    @Test
    void theExamplesOfRecordsAreTheGoldenFiles() {
        Pattern example = Pattern.compile("<!-- wire: (\\S+) -->\\n```json\\n(.*?)\\n```", Pattern.DOTALL);
        List<MatchResult> examples =
                example.matcher(Document.of("docs/topics.md").text()).results().toList();
        assertThat(examples).hasSizeGreaterThan(5);
        for (MatchResult one : examples) {
            Path golden = Document.ROOT.resolve("report-model/src/test/resources/wire/" + one.group(1));
            assertThat(one.group(2))
                    .as(one.group(1))
                    .isEqualTo(Document.source(golden).strip());
        }
    }

    @Test
    void everyReasonALeniencyADecisionAndAResultIsExplained() {
        List<String> reasons =
                Arrays.stream(RefusalReason.values()).map(RefusalReason::word).toList();
        assertThat(Document.of("docs/topics.md").spans()).containsAll(reasons);
        assertThat(firstCells(Document.of("docs/rfc-8460.md"), "Tolerated deviations"))
                .containsExactlyElementsOf(
                        Arrays.stream(Leniency.values()).map(Leniency::word).toList());
        Path alerting = Document.ROOT.resolve("alerting-service/src/main/java/io/tlsrpt/alerting");
        List<String> alertingSpans = Document.of("docs/alerting.md").spans();
        assertThat(alertingSpans)
                .containsAll(constants(alerting.resolve("Decision.java"), "\\((?:true|false)\\)"))
                .containsAll(constants(alerting.resolve("Receiver.java"), "\\((?:true|false), (?:true|false)\\)"));
    }

    @Test
    void theTableOfRejectionsIsTheCatalogue() {
        List<String> rows = Document.of("docs/rejections.md")
                .text()
                .lines()
                .filter(line -> line.startsWith("| `"))
                .toList();
        assertThat(rows)
                .containsExactlyElementsOf(RefusalHelp.all().stream()
                        .map(help -> "| `" + help.reason().word() + "` | " + help.meaning() + " | "
                                + help.fault().words() + " | " + help.fix() + " | "
                                + help.retry().word() + " |")
                        .toList());
    }

    /// The words of an enum's constants, each of which takes such arguments.
    private static List<String> constants(Path file, String arguments) {
        List<String> words = Pattern.compile("^\\s+([A-Z_]+)" + arguments + "[,;]", Pattern.MULTILINE)
                .matcher(Document.source(file))
                .results()
                .map(constant -> constant.group(1).toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
        assertThat(words).as(file.toString()).hasSizeGreaterThan(5);
        return words;
    }

    private static List<String> firstCells(Document document, String heading) {
        String section = document.text().substring(document.text().indexOf("## " + heading));
        return Pattern.compile("^\\| `([^`]+)` \\|", Pattern.MULTILINE)
                .matcher(section)
                .results()
                .map(cell -> cell.group(1))
                .toList();
    }

    @Test
    void everySettingNamedExists() {
        Set<String> keys = Pattern.compile("^\\| \\**`([^`]+)`", Pattern.MULTILINE)
                .matcher(SettingsDocument.markdown())
                .results()
                .map(key -> key.group(1))
                .collect(Collectors.toSet());
        String kafkaMeters = Document.source(
                Document.ROOT.resolve("service-runtime/src/main/java/io/tlsrpt/runtime/StreamsHost.java"));
        Predicate<String> known = name -> keys.contains(name) || kafkaMeters.contains("\"" + name + "\"");
        for (Document document : DOCUMENTS) {
            assertThat(document.spans().stream()
                            .map(span -> span.replaceFirst(":.*", ""))
                            .filter(span -> SETTING.matcher(span).matches()))
                    .as(document.name())
                    .allMatch(known);
        }
    }

    @Test
    void everyConfigurationShownIsAccepted() {
        int shown = 0;
        for (Document document : DOCUMENTS) {
            for (Document.Block block : document.blocks()) {
                if (block.language().equals("yaml")) {
                    shown++;
                    assertThat(faults(document.name(), block.text()))
                            .as(document.name())
                            .isEmpty();
                }
            }
        }
        assertThat(shown).isGreaterThan(2);
    }

    private static List<SettingsFault.Fault> faults(String name, String yaml) {
        try {
            SettingsFile.parse(
                    name,
                    yaml,
                    variable -> variable.endsWith("SECRET")
                            ? "whsec_" + "A".repeat(32)
                            : variable.endsWith("_KEY") ? "A".repeat(32) : "https://hooks.example.com/" + variable);
            return List.of();
        } catch (SettingsFault bad) {
            return bad.faults();
        }
    }

    @Test
    void everyTestNamedIsInItsFile() {
        Pattern test = Pattern.compile("`(\\w+(?:Test|IT|Behaviour))\\.(\\w+)`");
        int named = 0;
        for (Document document : DOCUMENTS) {
            for (Document.Link link : document.links()) {
                var name = test.matcher(link.text());
                if (name.matches()) {
                    named++;
                    assertThat(Path.of(link.target()).getFileName()).hasToString(name.group(1) + ".java");
                    assertThat(Document.source(document.path().resolveSibling(link.target())))
                            .as(link.text())
                            .containsPattern("\\bvoid " + name.group(2) + "\\(");
                }
            }
        }
        assertThat(named).isGreaterThan(50);
    }

    @Test
    void everyAlertHasItsPlaceInTheRunbook() {
        Set<String> anchors = Document.of("docs/runbook.md").anchors();
        assertThat(anchors).containsAll(AlertingSettings.Rules.WORDS);
        assertThat(anchors)
                .containsAll(FailureHelp.all().stream().map(FailureHelp::word).toList());
    }

    @Test
    void theCommandsOfTheRunbookAreThoseOfTheCatalogue() {
        String runbook = Document.of("docs/runbook.md").text();
        for (FailureHelp entry : FailureHelp.all()) {
            FailureHelp help = entry.at("mx1.example.com", "example.com");
            String section = runbook.substring(runbook.indexOf("\n### " + help.word() + "\n") + 1);
            int end = section.indexOf("\n##");
            assertThat(end < 0 ? section : section.substring(0, end))
                    .as(help.word())
                    .contains("\n" + help.verify() + "\n```");
        }
    }

    @Test
    void everyDependencyIsNamedWithItsReasonAndNoOther() throws Exception {
        Set<String> declared = new TreeSet<>();
        try (Stream<Path> entries = Files.list(Document.ROOT)) {
            for (Path pom : Stream.concat(Stream.of(Document.ROOT), entries)
                    .map(directory -> directory.resolve("pom.xml"))
                    .filter(Files::exists)
                    .toList()) {
                declared.addAll(artifacts(pom));
            }
        }
        Set<String> named = Document.of("docs/dependencies.md").spans().stream()
                .filter(span -> span.matches("[a-z][\\w.-]+:[\\w.-]+"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(named).hasSizeGreaterThan(30).isEqualTo(declared);
    }

    private static Set<String> artifacts(Path pom) throws ParserConfigurationException, SAXException, IOException {
        Set<String> artifacts = new TreeSet<>();
        var xml = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile());
        for (String tag : List.of("dependency", "path", "plugin")) {
            NodeList found = xml.getElementsByTagName(tag);
            for (int i = 0; i < found.getLength(); i++) {
                Element one = (Element) found.item(i);
                String group = child(one, "groupId");
                if (!group.equals("io.tlsrpt")) {
                    artifacts.add(
                            (group.isEmpty() ? "org.apache.maven.plugins" : group) + ":" + child(one, "artifactId"));
                }
            }
        }
        return artifacts;
    }

    private static String child(Element parent, String name) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node.getNodeName().equals(name)) {
                return node.getTextContent().strip();
            }
        }
        return "";
    }
}
