package io.tlsrpt.alerting;

import java.util.List;

/// A domain that is to be forgotten wherever it is judged. It goes to every task: nobody knows all of the places.
///
/// @param domain that departed
/// @param mxs the MX hosts, as [MxName] writes them, that it was known behind
/// @param submitters who reported about it lately
record Departed(String domain, List<String> mxs, List<String> submitters) {}
