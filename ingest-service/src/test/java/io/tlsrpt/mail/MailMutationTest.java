package io.tlsrpt.mail;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Damaged mails by chance, the same in each build. [ReportMailFuzzTest] looks longer and cleverer.
class MailMutationTest {

    private static final Duration AT_MOST = Duration.ofSeconds(5);
    private static final int ROUNDS = 20_000;
    private static final int MAX_MAIL = 20_000;

    @Test
    void readingADamagedMailIsTotal() {
        Random random = new Random(8460);
        List<byte[]> mails = WitnessMails.ALL.values().stream()
                .filter(mail -> mail.length < MAX_MAIL)
                .toList();
        ReportMailFuzzTest fuzz = new ReportMailFuzzTest();
        long start = System.nanoTime();
        for (int round = 0; round < ROUNDS && System.nanoTime() - start < AT_MOST.toNanos(); round++) {
            fuzz.readingIsTotal(damaged(mails, random));
        }
    }

    private static byte[] damaged(List<byte[]> mails, Random random) {
        byte[] mail = mails.get(random.nextInt(mails.size())).clone();
        if (mail.length == 0) {
            return mail;
        }
        for (int change = random.nextInt(8); change >= 0; change--) {
            int at = random.nextInt(mail.length);
            switch (random.nextInt(4)) {
                case 0 -> mail[at] = (byte) random.nextInt(256);
                case 1 -> mail = Arrays.copyOf(mail, Math.max(1, at));
                case 2 -> {
                    byte[] other = mails.get(random.nextInt(mails.size()));
                    int length = Math.min(other.length, mail.length - at);
                    System.arraycopy(other, 0, mail, at, length);
                }
                default -> mail = SampleMails.join(Arrays.copyOf(mail, at), mail);
            }
        }
        return mail;
    }
}
