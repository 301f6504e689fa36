package io.tlsrpt.standalone;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/// The layering and the habits of the house, as a checked file.
class ArchitectureTest {

    private static final JavaClasses HOUSE = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("test-classes") && !location.contains("-tests.jar"))
            .importPackages("io.tlsrpt");

    private static final String KNOWS_THE_MACHINE = ".*(Main|ServiceHost|SettingsFile|LiveSettings)";

    /// A library without state, not the service: docs/decisions/0019-detection-in-memory.md.
    private static final String DETECTION_IN_MEMORY = "io\\.tlsrpt\\.alerting\\.(Replay|Why|Explanation(\\$Check)?)";

    @Test
    void timeIsInjected() {
        noClasses()
                .that()
                .haveNameNotMatching(KNOWS_THE_MACHINE)
                .should()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .callMethod(Thread.class, "sleep", java.time.Duration.class)
                .check(HOUSE);
    }

    @Test
    void onlyTheOutermostClassesKnowTheEnvironmentAndTheExit() {
        noClasses()
                .that()
                .haveNameNotMatching(KNOWS_THE_MACHINE)
                .should()
                .callMethod(System.class, "getenv", String.class)
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .check(HOUSE);
    }

    @Test
    void servicesMeetOnlyAtTopics() {
        String[] services = {"ingest", "stream", "alerting", "console", "cli"};
        for (String service : services) {
            for (String other : services) {
                if (!service.equals(other)) {
                    noClasses()
                            .that()
                            .resideInAPackage("io.tlsrpt." + service + "..")
                            .should()
                            .dependOnClassesThat(resideInAPackage("io.tlsrpt." + other + "..")
                                    .and(not(nameMatching(DETECTION_IN_MEMORY))))
                            .check(HOUSE);
                }
            }
        }
    }

    @Test
    void theModelAndTheRuntimeDoNotSeeEachOtherAndNobodySeesStandalone() {
        noClasses()
                .that()
                .resideInAnyPackage("io.tlsrpt.report..", "io.tlsrpt.topics..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.tlsrpt.runtime..")
                .check(HOUSE);
        noClasses()
                .that()
                .resideInAPackage("io.tlsrpt.runtime..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.tlsrpt.report..", "io.tlsrpt.topics..")
                .check(HOUSE);
        noClasses()
                .that()
                .resideOutsideOfPackage("io.tlsrpt.standalone..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.tlsrpt.standalone..")
                .check(HOUSE);
    }

    @Test
    void aReportIsReadWithoutKafkaFilesOrLogs() {
        noClasses()
                .that()
                .resideInAPackage("io.tlsrpt.report..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.kafka..", "org.slf4j..", "java.nio.file..", "java.net.http..")
                .check(HOUSE);
    }

    @Test
    void namesSayWhatAThingIs() {
        noClasses()
                .should()
                .haveSimpleNameEndingWith("Impl")
                .orShould()
                .haveSimpleNameEndingWith("Util")
                .orShould()
                .haveSimpleNameEndingWith("Utils")
                .orShould()
                .haveSimpleNameEndingWith("Helper")
                .orShould()
                .haveSimpleNameEndingWith("Manager")
                .orShould()
                .haveSimpleNameStartingWith("Abstract")
                .check(HOUSE);
    }

    @Test
    void eachServiceModuleShowsItsServiceAndItsMainAndLittleElse() {
        classes()
                .that()
                .resideInAnyPackage("io.tlsrpt.ingest..", "io.tlsrpt.alerting..", "io.tlsrpt.console..")
                .and()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .and()
                // made by Kafka Streams from its class name, which only works for a public one
                .areNotAssignableTo("org.apache.kafka.streams.errors.ProcessingExceptionHandler")
                .should()
                .haveNameMatching(".*(Service|Main)|" + DETECTION_IN_MEMORY)
                .check(HOUSE);
    }
}
