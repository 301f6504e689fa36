package io.tlsrpt.console;

import io.tlsrpt.runtime.Access;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// How lists are answered: in pages of JSON, or as a table (`format=csv`, or `Accept: text/csv`) of up to 100,000 rows
/// and 64 MiB, of which each of these holds two at once.
final class Listings {

    static final String CSV = "csv";

    private static final int EXPORTS = 2;

    private final Semaphore exports = new Semaphore(EXPORTS);

    /// The parameters of a list.
    ///
    /// @param own beside those that every list has
    static Set<String> parameters(String... own) {
        return Stream.concat(Stream.of("limit", "cursor", "format"), Stream.of(own))
                .collect(Collectors.toUnmodifiableSet());
    }

    /// @param otherwise rows of a page when nobody says how many
    /// @param most rows of a page
    /// @param head members of the page before its rows
    /// @param pages what is found within a limit
    Supplier<Answer> answer(
            Parameters parameters,
            CsvTable table,
            int otherwise,
            int most,
            Map<String, ?> head,
            Function<PageLimit, Page> pages) {
        if (CSV.equals(parameters.oneOf("format", List.of("json", CSV)))) {
            int limit = parameters.limit(PageLimit.MAX_EXPORTED_ROWS, PageLimit.MAX_EXPORTED_ROWS);
            return () -> export(table, pages, PageLimit.export(limit));
        }
        int limit = parameters.limit(otherwise, most);
        return () -> Answer.json(pages.apply(PageLimit.rows(limit)).json(head));
    }

    private Answer export(CsvTable table, Function<PageLimit, Page> pages, PageLimit limit) {
        if (!exports.tryAcquire()) {
            return Answer.unavailable("other tables are on their way; ask again shortly");
        }
        boolean handedOver = false;
        try {
            Page page = pages.apply(limit);
            Map<String, String> headers = new LinkedHashMap<>();
            headers.put("Content-Disposition", "attachment; filename=\"" + table.fileName() + '"');
            headers.put("Tlsrpt-Complete", Boolean.toString(page.complete()));
            String cursor = page.cursor();
            if (cursor != null) {
                headers.put("Tlsrpt-Cursor", cursor);
            }
            Answer answer = Answer.stream(Csv.MEDIA_TYPE, headers, new Answer.Stream() {
                @Override
                public void writeTo(OutputStream out, Supplier<Access.Decision> again) throws IOException {
                    table.write(page, out);
                }

                @Override
                public void close() {
                    exports.release();
                }
            });
            handedOver = true;
            return answer;
        } finally {
            if (!handedOver) {
                exports.release();
            }
        }
    }
}
