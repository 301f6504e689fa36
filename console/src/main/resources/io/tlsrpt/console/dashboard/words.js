// What the words of the records mean to people. Every word that this page may meet and does not know is shown as it is.

// The rules of alerting-service (docs/alerting.md).
export const RULES = {
  'certificate': 'Certificate',
  'starttls-regression': 'STARTTLS lost',
  'dane': 'DANE',
  'sts-policy': 'MTA-STS policy',
  'reporter-fault': 'Fault of a reporter',
  'reporter-silent': 'Reporter is silent',
  'domain-silent': 'Domain is silent',
  'intake-broken': 'Intake is broken',
  'rejections': 'Reports are refused',
  'certificate-expiry': 'Certificate, by a live look',
  'starttls-missing': 'STARTTLS missing, by a live look',
  'tlsrpt-record': 'TLSRPT record',
  'mta-sts': 'MTA-STS record and policy',
  'tlsa': 'TLSA records',
};

export const SEVERITIES = ['critical', 'warning', 'info'];

// Why an incident ended.
export const ENDINGS = {
  recovered: 'recovered: clean sessions by trusted reports of later days',
  stale: 'no data for 7 days; not a recovery',
  retracted: 'the reports that made it were replaced',
  manual: 'ended by hand, or its rule was turned off',
  probe: 'a live look found it mended',
};

export const RESULTS = {
  delivered: 'delivered',
  failed: 'given up',
  muted: 'decided not to tell',
};

const BRANCHES = {
  certificate: {
    A: 'at least two reporters saw it, and what each saw is too much for chance',
    B: 'the failures are too many and too large a share for chance',
    C: 'very many failures, although a small share',
  },
  'starttls-regression': {
    A: 'at least two reporters saw it, and what each saw is too much for chance',
    B: 'a fifth or more of one reporter’s own sessions failed, which is too much for chance',
    never: 'STARTTLS was never seen to work here, so nothing was lost',
  },
  dane: {
    step: 'at least half of one reporter’s own sessions failed, and hardly any did before',
    partial: 'a share failed that is too large for chance: one MX host, or one of several keys',
  },
  'sts-policy': {
    reporters: 'at least two reporters saw it on the same day',
    again: 'the same reporter saw it on two reporting days in a row',
    days: 'it was seen on two of three days',
  },
  'reporter-fault': {
    unverified: 'nobody knows who sent these reports: anybody could have forged them',
  },
  'intake-broken': {
    half: 'half of the expected reports are missing, of several reporters',
    total: 'no report at all came for the last two days that are due',
  },
};

/** Which branch of its rule made the decision, in words; undefined where it has none. */
export function branchWords(rule, branch) {
  if (!branch) {
    return undefined;
  }
  const [name, days] = branch.split('/');
  const words = BRANCHES[rule]?.[name];
  return words && days ? `${words}; judged over ${days.replace('d', '')} days together` : words;
}

/** A chance in words that a tired person understands: "1 in 357 million". */
export function chanceWords(probability) {
  if (!(probability >= 0)) {
    return undefined;
  }
  if (probability < 1e-15) {
    return 'less than 1 in a million billion';
  }
  if (probability >= 0.5) {
    return `${Math.round(probability * 100)} %: quite usual`;
  }
  const times = 1 / probability;
  const steps = [[1e12, 'trillion'], [1e9, 'billion'], [1e6, 'million']];
  for (const [size, name] of steps) {
    if (times >= size) {
      return `1 in ${new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(times / size)} ${name}`;
    }
  }
  return `1 in ${new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(times)}`;
}

export const AUTHENTICATIONS = {
  dkim: 'signed by the reporting domain',
  operator: 'imported, or from a place that the operator trusts',
  none: 'anybody may have sent it',
};

export const SOURCES = {
  https: 'posted over HTTPS',
  smtp: 'by mail',
  lmtp: 'by mail (LMTP)',
  imap: 'fetched from a mailbox',
  file: 'imported from a file',
};

export const RETRIES = {
  'after-fix': 'Can be accepted once what stands against it is mended.',
  vouch: 'Can be accepted only if somebody vouches for it.',
  never: 'These bytes can never be accepted.',
};

// Deviations from RFC 8460 that were read all the same (docs/rfc-8460.md, Tolerated deviations).
export const LENIENCIES = {
  'byte-order-mark': 'A byte order mark stands before the document; it is skipped.',
  'latin1-bytes': 'Bytes that are no UTF-8 are read as Latin-1.',
  'trailing-nul': 'NUL bytes after the document are dropped.',
  'invalid-character': 'Characters that Unicode does not allow are replaced.',
  'gzip-trailing-bytes': 'Bytes after the end of the gzip are ignored.',
  'gzip-twice': 'The document is compressed twice.',
  'date-without-zone': 'Times have no zone; they are taken as UTC.',
  'date-spelling': 'Times are spelt otherwise than RFC 3339 says.',
  'date-as-epoch': 'Times are seconds or milliseconds since 1970.',
  'contact-info-missing': 'No contact-info: the organization stands for the reporter.',
  'contact-info-no-address': 'contact-info holds no address.',
  'organization-name-missing': 'No organization-name.',
  'report-id-missing': 'No report-id: the hash of the content stands in.',
  'policies-empty': 'The list of policies is empty; nothing is counted.',
  'policies-as-object': 'policies is one object where a list belongs.',
  'policy-domain-missing': 'No policy-domain: the domain of the channel stands in.',
  'policy-domain-trailing-dot': 'policy-domain ends in a dot.',
  'policy-domain-unicode': 'policy-domain is in Unicode; it is converted to A-labels.',
  'policy-domain-malformed': 'policy-domain is no domain name; it is kept as text.',
  'policy-type-spelling': 'policy-type is in capitals or has blanks around.',
  'policy-type-unknown': 'policy-type is a word that RFC 8460 does not know; it is kept.',
  'policy-string-as-text': 'policy-string is text where a list belongs; it is split.',
  'policy-string-double-encoded': 'policy-string is a list encoded again inside a string.',
  'mx-host-as-text': 'mx-host is text where a list belongs.',
  'mx-host-as-policy-line': 'mx-host holds whole policy lines.',
  'count-as-text': 'Counts are strings of digits.',
  'count-as-float': 'Counts are written with a decimal point.',
  'summary-count-missing': 'One of the two totals is missing; it counts as 0.',
  'failed-session-count-missing': 'failed-session-count is missing in a detail.',
  'failure-details-as-object': 'failure-details is one object where a list belongs.',
  'failures-unexplained': 'Failures are counted and none is explained.',
  'details-over-total': 'The details have more failed sessions than the total; the total counts.',
  'failure-without-hosts': 'A detail names no sending address or no MX.',
  'result-type-missing': 'A detail says no result-type; it reads “unspecified”.',
  'result-type-spelling': 'result-type is in capitals or has blanks around.',
  'result-type-unknown': 'result-type is a word that is not registered; it is kept.',
  'ip-not-an-address': 'Where an IP address belongs stands other text, which is kept.',
  'ip-bracketed': 'IP addresses stand in brackets.',
  'null-member': 'Members are null; they count as absent.',
  'empty-string': 'Members are empty; they count as absent.',
  'text-as-number': 'A number or a boolean stands where text belongs.',
  'text-as-list': 'A list stands where text belongs; its first element is taken.',
  'type-ignored': 'An optional member has a type that makes no sense; it is ignored.',
  'placeholder-name': 'A member has the name of a draft or of the RFC’s prose.',
  'unknown-member': 'Members that nobody knows are ignored.',
  'mail-not-multipart-report': 'The mail is no multipart/report.',
  'mail-report-type': 'The mail’s report-type is missing or is not tlsrpt.',
  'mail-media-type': 'The attachment has another media type than tlsrpt+gzip or tlsrpt+json.',
  'mail-gzip-label': 'The media type says gzip and it is none, or the other way round.',
  'mail-zip': 'The report is in a zip.',
  'mail-forwarded': 'The report’s mail is attached to another mail.',
  'mail-returned': 'A bounce or an automatic reply brings the report back.',
  'mail-nested': 'The multipart/report is a part of another multipart.',
  'mail-several-reports': 'Several reports came in one mail.',
  'mail-headers-missing': 'The mail has no TLS-Report-Domain or no TLS-Report-Submitter.',
  'mail-in-text': 'The JSON stands in a part of type text.',
  'mail-bare-lf': 'Lines end in LF alone.',
  'mail-base64': 'The base64 has characters that are none, or no padding.',
};
