// Every domain: whether reports come, how TLS goes, what fires.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import * as ui from './ui.js';
import { RULES, SEVERITIES } from './words.js';

export const title = () => 'Overview';
export const refresh = 30;

const MOST = 5000;
const STEP = 50;

/** State of a domain: [words, kind of badge, picture, what it means]. */
export const STATES = {
  regular: ['reporting', 'ok', 'ok', 'Reports come'],
  'first-report': ['first report', 'info', 'info', 'Reports of one day have come'],
  published: ['published', 'info', 'hourglass', 'The TLSRPT record is published, a first report takes a day or two'],
  waiting: ['waiting', 'none', 'hourglass', 'No report has come yet'],
  'record-missing': ['record missing', 'warning', 'missing', 'No TLSRPT record is published, so nobody reports'],
  pending: ['pending', 'info', 'unknown', 'Discovered in DNS; somebody has to accept it'],
};

export function stateBadge(state) {
  const [words, kind, picture] = STATES[state] ?? [state, 'none', 'unknown'];
  return ui.badge(kind, words, { picture, plain: state === 'regular' });
}

const SEVERITY_ORDER = { critical: 3, warning: 2, info: 1 };
const STATE_ORDER = Object.keys(STATES);

function sums(row) {
  const add = numbers => (numbers ?? []).reduce((sum, n) => sum + n, 0);
  const good = add(row.trend?.successful);
  const bad = add(row.trend?.failed);
  return { good, bad, all: good + bad, rate: good + bad > 0 ? good / (good + bad) : undefined };
}

/** What needs somebody first has the largest number. */
function urgency(row) {
  const alerts = (SEVERITY_ORDER[row['worst-severity']] ?? 0) * 10 + (row['firing-alerts'] > 0 ? 1 : 0);
  const state = row.state === 'record-missing' ? 5 : row.state === 'pending' ? 4 : 0;
  return alerts * 10 + state + (row.sums.rate === undefined ? 0 : 1 - row.sums.rate);
}

const SORTS = {
  urgency: ['most urgent', urgency, true],
  domain: ['name', row => row.domain, false],
  state: ['state', row => STATE_ORDER.indexOf(row.state), false],
  alerts: ['alerts', row => row['firing-alerts'] ?? 0, true],
  rate: ['success rate', row => row.sums.rate, false],
  sessions: ['sessions', row => row.sums.all, true],
  failed: ['failed sessions', row => row.sums.bad, true],
  policy: ['policy mode', row => row['policy-mode'], false],
  last: ['last report', row => row['last-received-at'], true],
};

const FILTERS = {
  alerts: ['with alerts', row => row['firing-alerts'] > 0],
  failing: ['with failures', row => row.sums.bad > 0],
  ...Object.fromEntries(Object.entries(STATES).map(([state, [words]]) => [state, [words, row => row.state === state]])),
};

const summed = new WeakMap();

/** The rows with their sums, made once for each answer. */
function rowsOf(data) {
  if (!summed.has(data)) summed.set(data, data.rows.map(row => ({ ...row, sums: sums(row) })));
  return summed.get(data);
}

function asked(context) {
  const q = context.query;
  const sort = SORTS[q.get('sort')] ? q.get('sort') : 'urgency';
  const order = q.get('order');
  return {
    text: q.get('q') ?? '',
    label: q.get('label') ?? '',
    state: FILTERS[q.get('state')] ? q.get('state') : '',
    sort: { key: sort, descending: order ? order === 'desc' : SORTS[sort][2] },
  };
}

function hasLabel(row, label) {
  const at = label.indexOf(':');
  return row.labels?.[label.slice(0, at)] === label.slice(at + 1);
}

export function view(context) {
  const now = asked(context);
  const ours = context.state.tooMany
    ? { q: now.text, label: now.label, state: STATES[now.state] ? now.state : undefined } : {};
  const use = context.useAll('domains', '/api/v1/domains', ours, MOST);
  if (use.data && !use.data.complete) context.state.tooMany = true;
  const firing = context.use('firing', '/api/v1/alerts', { state: 'firing', limit: 1000 });
  if (!use.data || !(firing.data || firing.error)) {
    return html`<section class="card hero" data-kind="none"><div class="hero-words">${ui.icon('none')}<div><h1 tabindex="-1">Overview</h1><p>&nbsp;</p></div></div>
      ${use.error ? nothing : ui.loading(3)}</section>
      <section class="card"><div class="card-body">${use.error ? ui.failure(use.error, () => context.refresh()) : ui.loading(24)}</div></section>`;
  }
  const rows = rowsOf(use.data);
  if (rows.length === 0 && !now.text && !now.label && !now.state) return nothingYet();
  return html`${hero(rows, use, firing)}${list(context, now, rows, use.data)}`;
}

function nothingYet() {
  return html`<h1 tabindex="-1">No domain yet</h1>
    <section class="card"><div class="card-body">${ui.empty('Nothing is configured and no report has come', html`
      <p>Name your domains under <code>domains:</code> in the configuration, publish the record that
      <code>./tlsrpt record DOMAIN</code> prints, and reports come within a day or two. Reports that you have already go in
      with <code>./tlsrpt import PATH</code>.</p>`, 'hourglass')}</div></section>`;
}

/** The rules of alerts, worst first: "Intake is broken, Reporter is silent". */
function besides(alerts) {
  const worst = [...alerts].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return [...new Set(worst.map(alert => RULES[alert.rule] ?? alert.rule))].join(', ');
}

/** One sentence that says how things are, and the numbers behind it. */
function hero(rows, use, firing) {
  const alerting = rows.filter(row => row['firing-alerts'] > 0);
  const critical = alerting.filter(row => row['worst-severity'] === 'critical').length;
  const missing = rows.filter(row => row.state === 'record-missing').length;
  const pending = rows.filter(row => row.state === 'pending').length;
  const silent = rows.filter(row => ['waiting', 'published', 'record-missing'].includes(row.state)).length;
  const unknown = firing.error ?? use.error;
  // what is about no domain must not hide behind domains that are well
  const others = (firing.data?.rows ?? []).filter(alert => !alert['policy-domain'] && !alert.evidence?.['affected-domains']?.length);
  const verified = rows.filter(row => row.trend?.trust === 'verified');
  const good = verified.reduce((sum, row) => sum + row.sums.good, 0);
  const bad = verified.reduce((sum, row) => sum + row.sums.bad, 0);
  const newest = rows.reduce((last, row) => (row['last-received-at'] > last ? row['last-received-at'] : last), '');
  let kind = 'ok';
  let words = 'All is well';
  let more = 'No alert fires.';
  if (rows.length === silent) {
    kind = 'info';
    words = 'No report has come yet';
    more = 'Nothing fires.';
  } else if (rows.every(row => row.record === 'found')) more = 'No alert fires, and every domain publishes its TLSRPT record.';
  if (critical > 0) {
    kind = 'critical';
    words = critical === 1 ? '1 domain needs you now' : `${ui.number(critical)} domains need you now`;
    more = alerting.length > critical ? `and ${ui.number(alerting.length - critical)} more with alerts that are not critical` : 'with critical alerts';
    if (others.length > 0) more += `; ${besides(others)}`;
  } else if (others.some(alert => alert.severity === 'critical')) {
    kind = 'critical';
    words = besides(others);
    more = 'This is about no single domain.';
  } else if (alerting.length > 0) {
    kind = 'warning';
    words = alerting.length === 1 ? '1 domain has an alert' : `${ui.number(alerting.length)} domains have alerts`;
    more = others.length > 0 ? `None is critical; ${besides(others)}` : 'None is critical.';
  } else if (others.length > 0) {
    kind = others.some(alert => alert.severity === 'warning') ? 'warning' : 'info';
    words = besides(others);
    more = 'This is about no single domain.';
  } else if (!use.data.complete) {
    kind = 'info';
    words = 'No alert fires among these';
    more = `These are the first ${ui.number(rows.length)} domains.`;
  } else if (pending > 0) {
    kind = 'info';
    words = 'No alert fires';
    more = pending === 1 ? '1 discovered domain waits to be accepted.' : `${ui.number(pending)} discovered domains wait to be accepted.`;
  } else if (missing > 0) {
    kind = 'info';
    words = 'No alert fires';
    more = missing === 1 ? '1 domain publishes no TLSRPT record, so nobody reports about it.'
      : `${ui.number(missing)} domains publish no TLSRPT record, so nobody reports about them.`;
  } else if (rows.length > silent && rows.every(row => !row.trend)) {
    kind = 'info';
    words = 'No alert fires';
    more = 'No report covers the last 30 days.';
  }
  if (unknown && kind !== 'critical') {
    kind = 'none';
    words = 'How things are is not known';
  }
  if (unknown) more = `Could not be brought up to date: ${ui.visible(unknown.message)}`;
  return html`<section class="card hero" data-kind=${kind}>
    <div class="hero-words">${ui.icon(kind === 'critical' ? 'critical' : kind)}<div><h1 tabindex="-1">${words}</h1><p>${more}</p></div></div>
    ${ui.figures([
      { label: 'Domains', value: html`${ui.number(rows.length)}${use.data.complete ? nothing : '+'}`,
        note: silent > 0 ? `${ui.number(silent)} without reports` : 'all with reports' },
      { label: 'Success rate', value: ui.percent(good, good + bad), note: '30 days, verified' },
      { label: 'Sessions', value: verified.length > 0 ? short(good + bad) : '–', note: '30 days, verified' },
      { label: 'Failed sessions', value: verified.length > 0 ? short(bad) : '–', note: '30 days, verified' },
      { label: 'Newest report', value: newest ? html`<span class="date">${ui.ago(newest)}</span>` : '–', note: newest ? html`<span class="fine">${newest.slice(0, 16).replace('T', ' ')} UTC</span>` : '' },
    ])}</section>`;
}

/** 12.3K with the whole number at hand. */
function short(value) {
  return value < 100_000 ? ui.number(value)
    : html`<abbr title=${ui.number(value)}>${ui.compact(value)}<span class="sr"> (${ui.number(value)})</span></abbr>`;
}

function list(context, now, all, data) {
  const words = now.text.toLowerCase();
  const name = aLabels(words);
  const narrowed = all.filter(row => (!words || row.domain.includes(words) || row.domain.includes(name)
      || Object.entries(row.labels ?? {}).some(([key, value]) => `${key}: ${value}`.toLowerCase().includes(words)))
    && (!now.label || hasLabel(row, now.label)));
  const counts = Object.fromEntries(Object.entries(FILTERS).map(([key, [, fits]]) => [key, narrowed.filter(fits).length]));
  const fitting = now.state ? narrowed.filter(FILTERS[now.state][1]) : narrowed;
  const rows = ui.sorted(fitting, SORTS[now.sort.key][1], now.sort.descending);
  const asks = context.query.toString();
  if (context.state.asks !== asks) context.state.shown = 0; // another list begins at its beginning
  context.state.asks = asks;
  const { rows: shown, more } = ui.cut(context, 'shown', rows, STEP);
  const said = `${rows.length} of ${all.length} domains`;
  if (context.state.said !== undefined && context.state.said !== said) context.announce(said);
  context.state.said = said;
  return html`<section class="card" id="domains" aria-labelledby="domains-head">
    <header class="card-head"><h2 id="domains-head">Domains</h2>
      <div class="card-aside">${ui.csv(csvOf(now))}</div></header>
    <div class="card-body">
      <div class="toolbar">
        ${ui.search({ label: 'Find a domain or label', value: now.text, onInput: q => context.replace({ q }) })}
        ${labelFilter(context, now, all)}
        <span class="narrow-only">${ui.select({ label: 'Sort by', value: now.sort.key,
          options: Object.entries(SORTS).map(([key, [name]]) => [key, name]),
          onChange: sort => context.replace({ sort: sort === 'urgency' ? '' : sort, order: '' }) })}</span>
      </div>
      ${ui.segmented('State', [
        { href: context.href({ state: '' }), words: 'All', note: ui.number(narrowed.length), on: !now.state },
        ...Object.entries(FILTERS).filter(([key]) => counts[key] > 0 || now.state === key)
          .map(([key, [name]]) => ({ href: context.href({ state: key }), words: name, note: ui.number(counts[key]), on: now.state === key })),
      ])}
      ${data.complete ? nothing : html`<p class="note">These are the first ${ui.number(all.length)}; name, label and state are looked for among all.</p>`}
      ${rows.length === 0 ? ui.empty('No domain fits', html`<a href=${context.path}>Show all domains</a>`, 'search')
        : ui.table({
          caption: `Domains, ${said}`, columns: COLUMNS, rows: shown, key: row => row.domain, stack: true,
          sort: now.sort, onSort: (sort, descending) => context.replace({ sort, order: descending ? 'desc' : 'asc' }),
        })}
      ${more}
    </div></section>`;
}

/** Names are kept as A-labels; people may type the others. */
function aLabels(name) {
  try {
    return new URL(`http://${name}`).hostname || name;
  } catch {
    return name;
  }
}

function csvOf(now) {
  const query = new URLSearchParams({ format: 'csv', limit: '100000' });
  if (now.text) query.set('q', now.text);
  if (now.label) query.set('label', now.label);
  if (STATES[now.state]) query.set('state', now.state);
  return `/api/v1/domains?${query}`;
}

function labelFilter(context, now, all) {
  const known = new Set();
  for (const row of all) for (const [key, value] of Object.entries(row.labels ?? {})) known.add(`${key}:${value}`);
  if (now.label) known.add(now.label);
  if (known.size === 0) return nothing;
  const options = [...known].sort().slice(0, 500).map(label => [label, label.replace(':', ': ')]);
  return ui.select({ label: 'Label', value: now.label, options: [['', 'all']].concat(options), onChange: label => context.set({ label }) });
}

const COLUMNS = [
  { key: 'domain', label: 'Domain', sort: true,
    cell: row => html`<a class="name" href=${ui.path('domains', row.domain)}>${ui.short(row.domain, 80)}</a>${ui.labels(row.labels)}` },
  { key: 'state', label: 'State', sort: true, cell: row => html`<span title=${STATES[row.state]?.[3] ?? nothing}>${stateBadge(row.state)}</span>` },
  { key: 'alerts', label: 'Alerts', sort: true, numeric: true, align: 'start', cell: row => (row['firing-alerts'] > 0
    ? html`<a class="plain" href=${`/alerts?state=firing&domain=${encodeURIComponent(row.domain)}`}>${ui.badge(row['worst-severity'] ?? 'warning',
      `${row['worst-severity'] ?? 'firing'}${row['firing-alerts'] > 1 ? ` +${ui.number(row['firing-alerts'] - 1)}` : ''}`)}</a>`
    : html`<span class="none">none</span>`) },
  { key: 'rate', label: 'Success rate', sort: true, numeric: true, hint: 'of the sessions of 30 days',
    cell: row => html`<span class="rate" data-kind=${rateKind(row.sums)}>${ui.percent(row.sums.good, row.sums.all)}</span>` },
  { key: 'trend', label: '30 days', cell: row => (row.trend ? ui.sparkline(row.trend) : html`<span class="none">–</span>`) },
  { key: 'sessions', label: 'Sessions', sort: true, numeric: true, cell: row => (row.trend ? ui.number(row.sums.all) : html`<span class="none">–</span>`) },
  { key: 'failed', label: 'Failed', sort: true, numeric: true, cell: row => (row.sums.bad > 0 ? ui.number(row.sums.bad) : html`<span class="none">${row.trend ? '0' : '–'}</span>`) },
  { key: 'policy', label: 'Policy', sort: true, cell: row => (row.trend
    ? html`<span class="policy">${policyWords(row)}${row.trend.trust === 'unverified' ? html`<span class="note">unverified</span>` : nothing}</span>`
    : html`<span class="none">–</span>`) },
  { key: 'last', label: 'Last report', sort: true, cell: row => (row['last-received-at'] ? ui.ago(row['last-received-at']) : html`<span class="none">never</span>`) },
];

function policyWords(row) {
  const type = row.trend['policy-type'];
  return html`${ui.policyType(type)}${row['policy-mode'] && type === 'sts' ? html` ${ui.mode(row['policy-mode'])}` : nothing}`;
}

function rateKind({ rate }) {
  if (rate === undefined) return nothing;
  return rate < 0.98 ? 'critical' : rate < 0.999 ? 'warning' : 'ok';
}
