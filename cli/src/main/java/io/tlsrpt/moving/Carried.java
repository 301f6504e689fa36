package io.tlsrpt.moving;

import io.tlsrpt.topics.Topics;
import java.util.List;

/// What moves, in the order in which it stands in the file: which domains are to be forgotten before all else, and what
/// is known of alerts before the reports that made them.
/// All other topics are made anew from the raw one.
final class Carried {

    private Carried() {}

    static List<Topics.Topic> topics(Topics topics) {
        return List.of(
                topics.departures(),
                topics.alerts(),
                topics.alertHistory(),
                topics.alertActions(),
                topics.notifications(),
                topics.silences(),
                topics.domains(),
                topics.inspections(),
                topics.rejected(),
                topics.raw());
    }

    /// A topic as the file names it: without the prefix, which may be another one in the new house.
    static String name(Topics topics, Topics.Topic topic) {
        return topic.name().substring(topics.prefix().length());
    }
}
