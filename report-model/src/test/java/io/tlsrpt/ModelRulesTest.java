package io.tlsrpt;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/// What the packages of this module may know of.
class ModelRulesTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.tlsrpt");

    @Test
    void reportsKnowNoKafkaNoTopicsNoInputOrOutputAndNoLogging() {
        noClasses()
                .that()
                .resideInAPackage("io.tlsrpt.report..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.apache.kafka..",
                        "io.tlsrpt.topics..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.util.logging..",
                        "org.slf4j..",
                        "java.util.concurrent..")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching("java\\.io\\.(?!Closeable|Serializable|IOException|UncheckedIOException).*")
                // A host name must never reach a resolver.
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching("java\\.net\\.(?!IDN$).*")
                .because("reading a report is a pure function of its bytes")
                .check(CLASSES);
    }

    @Test
    void nothingInThisModuleReadsAClockTheEnvironmentOrStandardStreams() {
        noClasses()
                .should()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "getenv", String.class)
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.time.Clock.class)
                .because("a replay must judge alike")
                .check(CLASSES);
    }
}
