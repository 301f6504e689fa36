package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dkim.DkimResult.Verdict;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every rule for report mail, each with the word of its verdict.
class DkimVerifierTest {

    private static final Instant RECEIVED = Instant.parse("2026-11-20T08:00:00Z");
    private static final KeyPair RSA = TestKeys.rsa(2048);
    private static final byte[] MAIL = bytes("""
            From: Reports <noreply@reporter.example>
            To: tlsrpt@example.com
            Subject: Report Domain: example.com
             Submitter: reporter.example
            TLS-Report-Domain: example.com
            Content-Type: text/plain

            One  line \t
            another line

            """);

    private final TestKeys keys = new TestKeys().with("reporter.example", "s1", RSA.getPublic());

    @Test
    void aGoodSignatureOfTheReporterPasses() {
        DkimResult result = judged(signed(Map.of()));
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.fromDomains()).containsExactly("reporter.example");
        assertThat(result.by("reporter.example", true)).isPresent();
        assertThat(result.unsigned()).isFalse();
        assertThat(result.temporary()).isFalse();
        DkimResult.Signature signature = result.signatures().getFirst();
        assertThat(signature.domain()).isEqualTo("reporter.example");
        assertThat(signature.selector()).isEqualTo("s1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "relaxed", "simple", ""})
    void everyCanonicalizationPasses(String c) {
        assertThat(word(signed(Map.of("c", c)))).isEqualTo("pass");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\r\n",
                "\r\n\r\n \r\n",
                "x",
                "x\r\n\r\n",
                " \t\r\nx \t y\r\n",
                "\r\n\r\nx",
                "x\r",
                "a\rb\r\n"
            })
    void everyBodyPassesInEveryCanonicalization(String body) {
        byte[] mail = bytes("From: a@reporter.example\r\nSubject: s\r\n\r\n" + body);
        for (String c : new String[] {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}) {
            assertThat(word(signed(mail, Map.of("c", c)))).as(c).isEqualTo("pass");
        }
    }

    @Test
    void aMailWithoutABodyPasses() {
        assertThat(word(signed(bytes("From: a@reporter.example\r\nSubject: s\r\n"), Map.of())))
                .isEqualTo("pass");
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple/simple", "relaxed/relaxed"})
    void aMailKeptWithBareLineFeedsPasses(String c) {
        String stored = text(signed(bytes(text(MAIL).replace("\n", "\r\n")), Map.of("c", c)))
                .replace("\r\n", "\n");
        assertThat(stored).doesNotContain("\r");
        assertThat(word(bytes(stored))).isEqualTo("pass");
    }

    @Test
    void aMailWithoutSignatureIsUnsigned() {
        DkimResult result = judged(MAIL);
        assertThat(result.unsigned()).isTrue();
        assertThat(result.by("reporter.example", false)).isEmpty();
    }

    @Test
    void googlesOtherSignatureFieldIsNoSignature() {
        assertThat(judged(bytes("X-Google-DKIM-Signature: v=1; a=rsa-sha256\n" + text(MAIL)))
                        .unsigned())
                .isTrue();
    }

    @Test
    void aBannerBreaksTheBodyHashAndIsToldBeforeDnsIsAsked() {
        byte[] mail = bytes(text(signed(Map.of())).replace("One  line", "External Email!\nOne  line"));
        assertThat(word(mail)).isEqualTo("body-hash");
        assertThat(keys.asked()).isEmpty();
    }

    @Test
    void aChangedSignedFieldBreaksTheSignature() {
        assertThat(word(bytes(text(signed(Map.of())).replace("Submitter: reporter", "Submitter: another"))))
                .isEqualTo("signature");
    }

    @Test
    void aChangedFieldThatIsNotSignedChangesNothing() {
        DkimResult result = judged(bytes(
                text(signed(Map.of())).replace("TLS-Report-Domain: example.com", "TLS-Report-Domain: evil.example")));
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.signatures().getFirst().signed("TLS-Report-Domain")).isFalse();
        assertThat(result.signatures().getFirst().signed("Subject")).isTrue();
    }

    @Test
    void aSecondFieldOnTopIsNotWhatWasSigned() {
        byte[] mail = signed(Map.of("h", "from:to:tls-report-domain"));
        assertThat(judged(mail).signatures().getFirst().signed("TLS-Report-Domain"))
                .isTrue();
        DkimResult result = judged(bytes("TLS-Report-Domain: evil.example\n" + text(mail)));
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.signatures().getFirst().signed("TLS-Report-Domain")).isFalse();
    }

    @Test
    void aGoodSignatureOfAStrangerCountsForNobodyElse() {
        keys.with("stranger.example", "s1", RSA.getPublic());
        DkimResult result = judged(TestDkimSigner.sign(MAIL, RSA.getPrivate(), "stranger.example", "s1"));
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.by("reporter.example", false)).isEmpty();
        assertThat(result.by("stranger.example", false)).as("From is another's").isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "5", "27", "999999"})
    void aLengthTagNeverCounts(String length) {
        assertThat(word(signed(Map.of("l", length)))).isEqualTo("length-tag");
        DkimResult both = judged(signed(signed(Map.of("l", length)), Map.of()));
        assertThat(words(both)).containsExactly("pass", "length-tag");
        assertThat(both.by("reporter.example", true)).isPresent();
    }

    @ParameterizedTest
    @CsvSource({
        "'', pass, key-service",
        "s=*; , pass, key-service",
        "s=email; , pass, key-service",
        "s=tlsrpt; , pass, pass",
        "s=email:tlsrpt; , pass, pass",
        "s=foo : tlsrpt; , pass, pass",
        "s=foo; , key-service, key-service",
        "s=tlsrpts; , key-service, key-service"
    })
    void aKeyMustServeTlsrptOrMailAndWhereAskedForTlsrptByName(String service, String usual, String required) {
        publish("v=DKIM1; " + service + TestKeys.bareRecord(RSA.getPublic()));
        assertThat(word(signed(Map.of()))).isEqualTo(usual);
        assertThat(words(new DkimVerifier(keys, new DkimVerifier.Options(true, 10)).verify(signed(Map.of()), RECEIVED)))
                .containsExactly(required);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v", "a", "bh", "d", "h", "s"})
    void aMissingTagIsRefused(String tag) {
        assertThat(word(signed(Map.of(tag, "")))).isEqualTo("missing-tag");
    }

    @Test
    void aMissingOrEmptySignatureValueIsRefused() {
        assertThat(word(bytes(text(signed(Map.of())).replace(" b=", " c2=")))).isEqualTo("missing-tag");
        assertThat(word(bytes(text(signed(Map.of())).replaceFirst("(?s) b=.*?\nFrom", " b=;\nFrom"))))
                .isEqualTo("malformed");
    }

    @ParameterizedTest
    @CsvSource({
        "v, 2, version",
        "v, 1.0, version",
        "a, rsa-sha1, rsa-sha1",
        "a, rsa-sha512, algorithm",
        "a, RSA-SHA256, algorithm",
        "c, nofws, canonicalization",
        "c, relaxed/nofws, canonicalization",
        "c, relaxed/relaxed/relaxed, canonicalization",
        "q, dns/http, query-method",
        "q, dns/http : dns/txt, pass",
        "d, com, public-suffix",
        "d, co.uk, public-suffix",
        "d, reporter..example, malformed",
        "d, reporter.example., malformed",
        "d, rep orter.example, malformed",
        "s, a b, malformed",
        "s, .s1, malformed",
        "h, to:subject, from-not-signed",
        "h, from::to, malformed",
        "h, from:s ubject, malformed",
        "i, joe@reporter.example, pass",
        "i, @mail.reporter.example, pass",
        "i, @example, identity",
        "i, @evilreporter.example, identity",
        "i, reporter.example, malformed",
        "bh, !!!!, malformed",
        "bh, AAAA, body-hash",
        "t, -1, malformed",
        "t, 1234567890123, malformed",
        "t, tomorrow, malformed",
        "x, 1e9, malformed",
        "darn, example.com, pass",
        "z, From:foo=40bar|Subject:x, pass",
        "9z, y, malformed",
        "n, a=b, pass",
        "n, x; d=other.example, malformed",
        "n, x;; y=z, malformed",
        "n, x; nameonly, malformed"
    })
    void aTagDecides(String tag, String value, String word) {
        assertThat(word(signed(Map.of(tag, value)))).isEqualTo(word);
    }

    @Test
    void aSemicolonAndWhiteSpaceAtTheEndAreNoSyntaxError() {
        byte[] mail = bytes(text(signed(Map.of())).replaceFirst("\nFrom:", " ; \t\nFrom:"));
        assertThat(word(mail)).as("added after signing").isEqualTo("signature");
    }

    @Test
    void aListOfFieldsMayBeFoldedAndHaveSpaces() {
        assertThat(word(signed(Map.of("h", "From : To :\r\n Subject :\r\n\tdate"))))
                .isEqualTo("pass");
    }

    @Test
    void oversignedFieldsCannotBeAdded() {
        String mail = text(signed(Map.of("h", "from:to:subject:subject:reply-to")));
        assertThat(word(bytes(mail))).isEqualTo("pass");
        assertThat(word(bytes("Subject: free money\n" + mail))).isEqualTo("signature");
        assertThat(word(bytes("Reply-To: evil@example.org\n" + mail))).isEqualTo("signature");
    }

    @Test
    void repeatedFieldsAreTakenFromTheBottom() {
        byte[] mail = bytes("Received: second\nReceived: first\n" + text(MAIL));
        String once = text(signed(mail, Map.of("h", "from:received")));
        assertThat(word(bytes("Received: third\n" + once))).isEqualTo("pass");
        assertThat(word(bytes(once.replace("Received: first", "Received: forged"))))
                .isEqualTo("signature");
        assertThat(word(bytes(once.replace("Received: second", "Received: forged"))))
                .isEqualTo("pass");
    }

    @Test
    void aSecondFromSpoilsTheMail() {
        DkimResult result = judged(bytes("From: evil@evil.example\n" + text(signed(Map.of()))));
        assertThat(words(result)).containsExactly("not-one-from");
        assertThat(result.fromDomains()).isEmpty();
    }

    @Test
    void aSecondContentTypeSpoilsTheMail() {
        assertThat(word(bytes("Content-type : multipart/mixed; boundary=x\n" + text(signed(Map.of())))))
                .isEqualTo("duplicate-content-type");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"no colon here\n", ": no name\n", "two words: x\n", "n\u0000ul: x\n", " continues nothing\n"})
    void aHeaderLineThatIsNoFieldSpoilsTheMail(String line) {
        assertThat(word(bytes(line + text(signed(Map.of()))))).isEqualTo("malformed-header");
    }

    @ParameterizedTest
    @CsvSource({"512, key-too-small", "768, key-too-small", "1024, pass", "2048, pass", "4096, pass"})
    void rsaKeysOf1024To4096BitsCount(int bits, String word) {
        keys.with("reporter.example", "s1", TestKeys.rsa(bits).getPublic());
        assertThat(word(TestDkimSigner.sign(MAIL, TestKeys.rsa(bits).getPrivate(), "reporter.example", "s1")))
                .isEqualTo(word);
    }

    @Test
    void aLargerKeyIsNotComputedWith() throws Exception {
        PublicKey large = KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(
                        BigInteger.ONE.shiftLeft(4100).add(BigInteger.ONE), BigInteger.valueOf(65537)));
        keys.with("reporter.example", "s1", large);
        assertThat(word(signed(Map.of()))).isEqualTo("key-too-large");
    }

    @Test
    void aKeyWithAHugeExponentIsNotComputedWith() throws Exception {
        PublicKey slow = KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(
                        ((RSAPublicKey) RSA.getPublic()).getModulus(),
                        BigInteger.ONE.shiftLeft(2000).add(BigInteger.ONE)));
        keys.with("reporter.example", "s1", slow);
        assertThat(word(signed(Map.of()))).isEqualTo("key-too-large");
    }

    @Test
    void ed25519Passes() {
        KeyPair pair = TestKeys.ed25519();
        keys.with("reporter.example", "ed", pair.getPublic());
        byte[] mail = TestDkimSigner.sign(MAIL, pair.getPrivate(), "reporter.example", "ed");
        assertThat(word(mail)).isEqualTo("pass");
        assertThat(word(bytes(text(mail).replace("Submitter: r", "Submitter: R"))))
                .isEqualTo("signature");
    }

    @Test
    void anRsaKeyMayBeBare() {
        byte[] info = RSA.getPublic().getEncoded();
        String bare = Base64.getEncoder().encodeToString(Arrays.copyOfRange(info, 24, info.length));
        publish("v=DKIM1; p=" + bare);
        assertThat(word(signed(Map.of()))).isEqualTo("pass");
    }

    @ParameterizedTest
    @CsvSource({
        "'v=DKIM1; p=', '', key-revoked",
        "'k=rsa; p=', KEY, pass",
        "'p=', KEY, pass",
        "'v=DKIM1; g=nobody; n=a note; x=y; p=', KEY, pass",
        "'v=DKIM1; h=sha1; p=', KEY, key-hash",
        "'v=DKIM1; h=sha1 : sha256; p=', KEY, pass",
        "'v=DKIM1; k=dsa; p=', KEY, key-type",
        "'v=DKIM1; k=ed25519; p=', KEY, key-type",
        "'v=DKIM2; p=', KEY, key-malformed",
        "'v=DKIM1.0; p=', KEY, key-malformed",
        "'k=rsa; v=DKIM1; p=', KEY, key-malformed",
        "'v=DKIM1; k=rsa; k=rsa; p=', KEY, key-malformed",
        "'v=DKIM1; k=rsa; q=', KEY, key-malformed",
        "'v=spf1 -all', '', key-malformed",
        "'v=DKIM1; p=', AAAA, key-malformed",
        "'v=DKIM1; p=', '!', key-malformed",
        "'v=DKIM1; t=y; p=', KEY, key-testing",
        "'v=DKIM1; t=s:y; p=', KEY, key-testing",
        "'v=DKIM1; t=s; p=', KEY, pass",
        "'v=DKIM1; t=yes; p=', KEY, pass"
    })
    void aKeyRecordDecides(String record, String key, String word) {
        publish(record + (key.equals("KEY") ? TestKeys.p(RSA.getPublic()) : key));
        assertThat(word(signed(Map.of()))).isEqualTo(word);
    }

    @Test
    void aStrictKeyRefusesASubdomainAsIdentity() {
        publish("v=DKIM1; t=s; " + TestKeys.bareRecord(RSA.getPublic()));
        assertThat(word(signed(Map.of("i", "@mail.reporter.example")))).isEqualTo("key-strict");
        assertThat(word(signed(Map.of("i", "joe@reporter.example")))).isEqualTo("pass");
    }

    @Test
    void whiteSpaceInAKeyDoesNotMatter() {
        publish("v=DKIM1; p=" + TestKeys.p(RSA.getPublic()).replaceAll("(.{50})", "$1 \t"));
        assertThat(word(signed(Map.of()))).isEqualTo("pass");
    }

    @Test
    void ofSeveralKeysAnyMayFitAndElseTheBestReasonIsTold() {
        String other = TestKeys.record(TestKeys.rsa(1024).getPublic());
        String right = TestKeys.record(RSA.getPublic());
        keys.with("reporter.example", "s1", "v=spf1 -all", other, right);
        assertThat(word(signed(Map.of()))).isEqualTo("pass");
        keys.with("reporter.example", "s1", "v=spf1 -all", "v=DKIM1; p=", other);
        assertThat(word(signed(Map.of()))).isEqualTo("signature");
        keys.with("reporter.example", "s1", "v=spf1 -all", "v=DKIM1; p=");
        assertThat(word(signed(Map.of()))).isEqualTo("key-revoked");
    }

    @Test
    void aKeyThatIsNotThereIsFinal() {
        DkimResult result = judged(TestDkimSigner.sign(MAIL, RSA.getPrivate(), "reporter.example", "unknown"));
        assertThat(words(result)).containsExactly("no-key");
        assertThat(result.temporary()).isFalse();
    }

    @Test
    void aBrokenDnsIsNotFinal() {
        keys.failing("reporter.example", "s1");
        DkimResult broken = judged(signed(Map.of()));
        assertThat(words(broken)).containsExactly("dns-failure");
        assertThat(broken.temporary()).isTrue();
        assertThat(broken.temporaryFor("reporter.example", false)).isTrue();
        assertThat(broken.temporaryFor("another.example", false)).isFalse();
        keys.with("reporter.example", "s1", RSA.getPublic());
        assertThat(word(signed(Map.of()))).isEqualTo("pass");
    }

    @Test
    void aRelaysGoodSignatureDoesNotHideThatTheReportersKeyCouldNotBeAsked() {
        keys.failing("reporter.example", "s1").with("relay.example", "s1", RSA.getPublic());
        DkimResult result = judged(TestDkimSigner.sign(signed(Map.of()), RSA.getPrivate(), "relay.example", "s1"));
        assertThat(words(result)).containsExactly("pass", "dns-failure");
        assertThat(result.temporary()).isFalse();
        assertThat(result.temporaryFor("reporter.example", true)).isTrue();
        assertThat(result.temporaryFor("relay.example", false))
                .as("From is another's")
                .isFalse();
    }

    @Test
    void aStrangersBrokenDnsDelaysNothing() {
        keys.failing("stranger.example", "s1");
        DkimResult result = judged(TestDkimSigner.sign(MAIL, RSA.getPrivate(), "stranger.example", "s1"));
        assertThat(words(result)).containsExactly("dns-failure");
        assertThat(result.temporary()).isFalse();
    }

    @Test
    void expiryIsJudgedAtTheTimeOfReceipt() {
        long signedAt = RECEIVED.getEpochSecond() - 60;
        byte[] mail = signed(Map.of("t", "" + signedAt, "x", "" + (signedAt + 7 * 86400)));
        assertThat(word(mail)).isEqualTo("pass");
        DkimVerifier verifier = new DkimVerifier(keys, DkimVerifier.Options.DEFAULT);
        Instant expiry = Instant.ofEpochSecond(signedAt).plus(Duration.ofDays(7));
        assertThat(words(verifier.verify(mail, expiry.plusSeconds(300)))).containsExactly("pass");
        assertThat(words(verifier.verify(mail, expiry.plusSeconds(301)))).containsExactly("expired");
        assertThat(words(verifier.verify(mail, Instant.ofEpochSecond(signedAt - 300))))
                .containsExactly("pass");
        assertThat(words(verifier.verify(mail, Instant.ofEpochSecond(signedAt - 301))))
                .containsExactly("future");
    }

    @Test
    void expiryBeforeSigningIsMalformed() {
        long now = RECEIVED.getEpochSecond();
        assertThat(word(signed(Map.of("t", "" + now, "x", "" + now)))).isEqualTo("malformed");
        assertThat(word(signed(Map.of("x", "999999999999")))).isEqualTo("pass");
    }

    @Test
    void anyOneGoodSignatureSuffices() {
        byte[] badOnTop = signed(signed(Map.of()), Map.of("bh", "AAAA"));
        byte[] badBelow = signed(signed(Map.of("bh", "AAAA")), Map.of());
        assertThat(words(judged(badOnTop))).containsExactly("body-hash", "pass");
        assertThat(words(judged(badBelow))).containsExactly("pass", "body-hash");
        assertThat(judged(badOnTop).by("reporter.example", true)).isPresent();
    }

    @Test
    void ofAHundredSignaturesTenAreTriedAndThoseOfTheAuthorFirst() {
        byte[] mail = signed(Map.of());
        for (int i = 0; i < 99; i++) {
            mail = TestDkimSigner.sign(mail, RSA.getPrivate(), "relay" + i + ".example", "s1");
        }
        DkimResult result = judged(mail);
        assertThat(result.signatures()).hasSize(100);
        assertThat(result.signatures().getLast().verdict()).isEqualTo(Verdict.PASS);
        assertThat(words(result).stream().collect(Collectors.groupingBy(word -> word, Collectors.counting())))
                .isEqualTo(Map.of("pass", 1L, "no-key", 9L, "not-tried", 90L));
        assertThat(keys.asked()).hasSize(10);
    }

    @Test
    void aKeyOfSeveralSignaturesIsAskedForOnce() {
        judged(signed(signed(signed(Map.of()), Map.of("c", "simple/simple")), Map.of()));
        assertThat(keys.asked()).containsExactly("s1._domainkey.reporter.example");
    }

    @Test
    void aDomainInItsOwnScriptIsAskedForInALabels() {
        keys.with("xn--bcher-kva.example", "xn--schlssel-95a", RSA.getPublic());
        byte[] mail = TestDkimSigner.sign(
                "From: <a@bücher.example>\r\n\r\nx\r\n".getBytes(StandardCharsets.UTF_8),
                RSA.getPrivate(),
                "bücher.example",
                "schlüssel");
        DkimResult result = judged(mail);
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.fromDomains()).containsExactly("xn--bcher-kva.example");
        assertThat(result.by("xn--bcher-kva.example", true)).isPresent();
    }

    @Test
    void namesAreComparedWithoutCase() {
        byte[] mail = TestDkimSigner.sign(
                bytes("FROM: a@Reporter.EXAMPLE\r\n\r\nx\r\n"), RSA.getPrivate(), "REPORTER.example", "S1");
        DkimResult result = judged(mail);
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.by("reporter.example", true)).isPresent();
    }

    @Test
    void anotherSignatureMayBeSignedAndOversigned() {
        byte[] inner = signed(Map.of());
        assertThat(words(judged(signed(inner, Map.of("h", "from:dkim-signature")))))
                .containsExactly("pass", "pass");
        assertThat(words(judged(signed(inner, Map.of("h", "from:dkim-signature:dkim-signature")))))
                .containsExactly("pass", "pass");
    }

    @Test
    void theVerdictsHaveDistinctWords() {
        assertThat(Arrays.stream(Verdict.values()).map(Verdict::word)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({
        // d=, From, reporting domain, relaxed, strict
        "google.com, google.com, google.com, true, true",
        "google.com, mail.google.com, google.com, true, false",
        "google.com, google.com, mail.google.com, true, false",
        "google.com, mail.google.com, mail.google.com, true, false",
        "mail.google.com, mail.google.com, google.com, false, false",
        "mail.google.com, google.com, mail.google.com, false, false",
        "a.google.com, b.google.com, b.google.com, false, false",
        "a.google.com, a.google.com, b.google.com, false, false",
        "other.com, google.com, google.com, false, false",
        "oogle.com, google.com, google.com, false, false",
        "shop.co.uk, mail.shop.co.uk, mail.shop.co.uk, true, false",
        "github.io, me.github.io, me.github.io, false, false",
        "me.github.io, me.github.io, me.github.io, true, true",
        "corp.mail.ru, corp.mail.ru, corp.mail.ru, true, true"
    })
    void aSignatureSpeaksForItsDomainAndWhatLiesBelow(
            String signer, String from, String reporting, boolean relaxed, boolean strict) {
        keys.with(signer, "s1", RSA.getPublic());
        byte[] mail = bytes("From: a@" + from + "\r\n\r\nx\r\n");
        DkimResult result = judged(TestDkimSigner.sign(mail, RSA.getPrivate(), signer, "s1"));
        assertThat(words(result)).containsExactly("pass");
        assertThat(result.by(reporting, false).isPresent()).isEqualTo(relaxed);
        assertThat(result.by(reporting, true).isPresent()).isEqualTo(strict);
    }

    @Test
    void aHeaderOfAMegabyteIsJudged() {
        byte[] mail = bytes("Subject: " + "x ".repeat(1 << 19) + "\nFrom: a@reporter.example\n\nbody\n");
        assertThat(word(signed(mail, Map.of()))).isEqualTo("pass");
    }

    @Test
    void thousandsOfFieldsAreJudged() {
        String junk =
                IntStream.range(0, 9000).mapToObj(i -> "X-" + i % 3 + ": y\n").collect(Collectors.joining());
        assertThat(word(signed(bytes(junk + text(MAIL)), Map.of("h", "from" + ":x-1".repeat(5000)))))
                .isEqualTo("pass");
    }

    @Test
    void aHeaderBeyondTheLimitsIsRefused() {
        assertThat(word(bytes(text(signed(Map.of())).replaceFirst("\n\n", "\n" + "X: y\n".repeat(10_000) + "\n"))))
                .isEqualTo("header-too-large");
        assertThat(word(bytes("X: " + "y".repeat(5 << 20) + "\n" + text(signed(Map.of())))))
                .isEqualTo("header-too-large");
    }

    @Test
    void aSignatureFieldOfMoreThan64KilobytesIsRefused() {
        assertThat(word(signed(Map.of("n", "x".repeat(70_000))))).isEqualTo("malformed");
    }

    private void publish(String record) {
        keys.with("reporter.example", "s1", record);
    }

    private String word(byte[] mail) {
        DkimResult result = judged(mail);
        assertThat(result.signatures()).hasSize(1);
        return words(result).getFirst();
    }

    private DkimResult judged(byte[] mail) {
        return new DkimVerifier(keys, DkimVerifier.Options.DEFAULT).verify(mail, RECEIVED);
    }

    private static List<String> words(DkimResult result) {
        return result.signatures().stream()
                .map(signature -> signature.verdict().word())
                .toList();
    }

    private static byte[] signed(Map<String, String> tags) {
        return signed(MAIL, tags);
    }

    private static byte[] signed(byte[] mail, Map<String, String> tags) {
        PrivateKey key = RSA.getPrivate();
        return TestDkimSigner.sign(mail, key, "reporter.example", "s1", tags);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(byte[] mail) {
        return new String(mail, StandardCharsets.ISO_8859_1);
    }
}
