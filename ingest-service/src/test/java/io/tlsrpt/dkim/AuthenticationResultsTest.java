package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class AuthenticationResultsTest {

    private static final DkimResult NOTHING_HOLDS = new DkimResult(List.of(), List.of("google.com"));

    @Test
    void aPassOfATrustedServerCountsAsASignature() {
        DkimResult result = added("""
                Received: from border\r
                Authentication-Results: mx.example.com 1 (our border; really);\r
                \tspf=pass smtp.mailfrom=google.com; dkim=pass (2048-bit key; unprotected)\r
                 header.d=google.com header.i=@google.com header.b="a;b"; dkim=fail header.d=other.example\r
                \r
                body""");

        assertThat(result.passed()).singleElement().satisfies(signature -> {
            assertThat(signature.domain()).isEqualTo("google.com");
            assertThat(signature.signed("tls-report-domain")).isFalse();
        });
    }

    @Test
    void theDomainOfTheAgentStandsInForAMissingD() {
        assertThat(added("Authentication-Results: MX.example.com; dkim=pass header.i=@Google.com\n\n")
                        .passed())
                .singleElement()
                .satisfies(signature -> assertThat(signature.domain()).isEqualTo("google.com"));
    }

    @Test
    void aFieldOfAnotherServerIsNotBelieved() {
        assertThat(added("Authentication-Results: mx.example.com.evil.example; dkim=pass header.d=google.com\n\n")
                        .passed())
                .isEmpty();
    }

    @Test
    void onlyTheTopmostFieldOfATrustedServerIsBelieved() {
        assertThat(added("""
                Authentication-Results: mx.example.com; dkim=none
                Authentication-Results: mx.example.com; dkim=pass header.d=google.com

                """).passed()).isEmpty();
    }

    @Test
    void aResultInsideAQuoteACommentOrTheBodyIsNone() {
        assertThat(added("Authentication-Results: mx.example.com; (dkim=pass header.d=google.com)\n\n")
                        .passed())
                .isEmpty();
        assertThat(added("Authentication-Results: mx.example.com; x.y=\"; dkim=pass header.d=google.com\"\n\n")
                        .passed())
                .isEmpty();
        assertThat(added("Subject: x\n\nAuthentication-Results: mx.example.com; dkim=pass header.d=google.com\n")
                        .passed())
                .isEmpty();
    }

    @Test
    void garbageIsNone() {
        for (String garbage :
                List.of("", ";", "(", "\"", "\\", "mx.example.com;dkim", "mx.example.com;dkim=pass =", "(((")) {
            assertThat(added("Authentication-Results:" + garbage + "\n\n").passed())
                    .isEmpty();
        }
    }

    private static DkimResult added(String message) {
        return AuthenticationResults.added(
                NOTHING_HOLDS, message.getBytes(StandardCharsets.ISO_8859_1), List.of("mx.example.com"));
    }
}
