// One report: what it says, what became of it, every failure with its addresses, and the document itself.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { segment, url } from './api.js';
import * as ui from './ui.js';
import { AUTHENTICATIONS, LENIENCIES, SOURCES } from './words.js';

const EVENTS = 2000;
const SHOWN = 25;
const ENTRIES = 50;
const MOST_BYTES = 1024 * 1024;
const SHOWN_CHARACTERS = 20_000;

export const title = () => 'Report';

export function view(context) {
  const key = context.query.get('key') ?? '';
  const use = context.use('report', key && '/api/v1/reports', { key });
  const report = use.data;
  return html`
    <div class="page-head"><div>${crumbs(report)}
      <h1 tabindex="-1">${report ? html`Report of ${ui.text(report['organization-name'] ?? report.submitter, { most: 120 })}` : 'Report'}</h1>
      <p class="subtitle"><span>${report ? html`about ${domains(report)}, ${ui.time(report['start-datetime'])} to ${ui.time(report['end-datetime'])}` : html`&nbsp;`}</span></p></div></div>
    ${key ? ui.of(context, use, data => shown(context, data), {
      lines: 12,
      missing: () => ui.empty('There is no report with this key', 'It may have expired, or the address is cut off.'),
    }) : ui.empty('No report is named', 'The address of a report has its key.')}`;
}

function crumbs(report) {
  const domain = report?.['policy-domains']?.[0] ?? report?.entries?.[0]?.['policy-domain'];
  return domain ? ui.crumbs(['/', 'Domains'], [`/domains/${segment(domain)}`, domain], [undefined, 'Report']) : ui.crumbs(['/', 'Domains'], [undefined, 'Report']);
}

function domains(report) {
  const all = report['policy-domains'] ?? [];
  return html`${all.slice(0, 3).map((domain, i) => html`${i ? ', ' : ''}<a href=${`/domains/${segment(domain)}`}>${ui.short(domain, 80)}</a>`)}${all.length > 3
    ? ` and ${ui.number(all.length - 3)} more` : nothing}`;
}

function shown(context, report) {
  return html`
    ${report.replaces !== undefined ? html`<p class="hint">${ui.icon('info')}<span>This is revision ${ui.number(report.revision)}. It took the place of revision
      ${ui.number(report.replaces)}, whose sender was not authenticated: what that one had counted was taken back.</span></p>` : nothing}
    ${report.authentication === 'none' ? html`<p class="hint">${ui.icon('info')}<span>Nobody knows who sent this: its counts are kept apart from verified ones, and it can
      neither make an alert critical nor end one.</span></p>` : nothing}
    ${ui.section('What it says', entries(context, report))}
    ${events(context, report)}
    <div class="grid wide">
      ${ui.section('How it came', html`<dl class="pairs">
        <dt>Reporter</dt><dd><a href=${`/reporters/${segment(report.submitter)}`}>${ui.short(report.submitter, 255)}</a></dd>
        <dt>How sure</dt><dd>${ui.trust(report.authentication)} <span class="note">${AUTHENTICATIONS[report.authentication] ?? nothing}</span></dd>
        <dt>Came</dt><dd>${SOURCES[report.source] ?? ui.text(report.source)}, ${ui.time(report['received-at'], { seconds: true })} (${ui.ago(report['received-at'])})${report.backfill
          ? html` <span class="note">from an archive: it notifies nobody</span>` : nothing}</dd>
        ${report['contact-info'] ? html`<dt>Contact</dt><dd>${ui.text(report['contact-info'])}</dd>` : nothing}
        <dt>Report id</dt><dd>${ui.text(report['report-id'])}</dd>
        <dt>Report key</dt><dd>${ui.text(report['report-key'], { most: 300 })}</dd>
        <dt>Stored at</dt><dd>partition ${ui.number(report.raw.partition)}, offset ${ui.number(report.raw.offset)} of raw</dd>
      </dl>`)}
      ${ui.section('Deviations from RFC 8460', report.leniencies?.length ? html`<ul class="items">${report.leniencies.map(name => html`<li><p><code>${ui.short(name, 80)}</code></p>
        <p>${LENIENCIES[name] ?? 'Read all the same.'}</p></li>`)}</ul>` : html`<p class="note">None: it is as the RFC asks.</p>`, {
        note: report.leniencies?.length ? 'Read all the same.' : nothing,
      })}
    </div>
    ${document(context, report)}`;
}

// ---- policies ----------------------------------------------------------------------------------------------------

function entries(context, report) {
  const all = report.entries ?? [];
  if (all.length === 0) return html`<p class="note">It names no policy; nothing is counted.</p>`;
  const part = ui.cut(context, 'entries', all, ENTRIES);
  return html`${ui.table({
    caption: 'Policies of the report',
    stack: true,
    rows: part.rows,
    columns: [
      { key: 'domain', label: 'Domain', cell: entry => html`<a href=${`/domains/${segment(entry['policy-domain'])}`}>${ui.short(entry['policy-domain'])}</a>` },
      { key: 'type', label: 'Policy', cell: entry => html`${ui.short(entry['policy-type'], 60)} ${entry['policy-mode'] ? html`<span class="note">${ui.short(entry['policy-mode'], 40)}</span>` : nothing}` },
      { key: 'good', label: 'Successful', numeric: true, cell: entry => ui.number(entry['total-successful-session-count']) },
      { key: 'failed', label: 'Failed', numeric: true, cell: entry => failed(entry['total-failure-session-count']) },
      { key: 'rate', label: 'Success rate', numeric: true, cell: entry => ui.percent(entry['total-successful-session-count'],
        entry['total-successful-session-count'] + entry['total-failure-session-count']) },
    ],
  })}${part.more}
  ${new Set(all.map(entry => entry['policy-type'])).size > 1 ? html`<p class="note">Different policy types describe the same sessions: they are never added up.</p>` : nothing}
  ${all.length >= 1000 ? html`<p class="note">At most 1,000 entries are listed; the document has them all.</p>` : nothing}`;
}

function failed(count) {
  return count === 0 ? html`<span class="none">0</span>` : html`<b class="bad">${ui.number(count)}</b>`;
}

// ---- events ------------------------------------------------------------------------------------------------------

/** The events of each of its domains: the API asks by domain. */
function events(context, report) {
  const names = report['policy-domains'] ?? [...new Set((report.entries ?? []).map(entry => entry['policy-domain']))];
  if (names.length === 0) return nothing;
  const domain = names.includes(context.query.get('domain')) ? context.query.get('domain') : names[0];
  const from = day(report['start-datetime']);
  const use = context.useAll('events', `/api/v1/domains/${segment(domain)}/events`,
    { from, to: from, 'report-key': report['report-key'] }, EVENTS);
  const known = new Set(context.use('help', '/api/v1/help', {}, { once: true }).data?.rows.map(entry => entry['result-type']));
  const type = word => (known.has(word) ? html`<a href=${`/runbook#${segment(word)}`} title="What it means and what to do">${ui.short(word, 80)}</a>` : ui.short(word, 80));
  const choose = names.length > 1 ? ui.select({
    label: 'Domain', value: domain, options: names.slice(0, 1000).map(name => [name, name.slice(0, 100)]), onChange: value => context.set({ domain: value }),
  }) : nothing;
  return ui.section('Failures, one by one', ui.of(context, use, data => {
    const all = data.rows;
    const failures = all.filter(event => event.kind === 'failure');
    const taken = all.filter(event => event.retraction).length;
    const part = ui.cut(context, 'events', failures, SHOWN);
    return html`
      ${taken ? html`<p class="hint">${ui.icon('info')}<span>${ui.count(taken, 'count was', 'counts were')} taken back when this revision replaced an earlier one: rows marked so have negative numbers,
        and all rows add up to what stands.</span></p>` : nothing}
      ${failures.length === 0 ? html`<p class="note">It names no failure of ${ui.short(domain)}.</p>` : ui.table({
        caption: 'Failures',
        stack: true,
        rows: part.rows,
        key: event => event['event-id'],
        dense: true,
        columns: [
          { key: 'type', label: 'Result type', cell: event => html`${type(event['result-type'])}${event.retraction ? html` ${ui.badge('warning', 'taken back', { picture: 'back' })}` : nothing}` },
          { key: 'count', label: 'Sessions', numeric: true, cell: event => ui.number(event['failed-session-count']) },
          { key: 'sending', label: 'Sending address', cell: event => value(event['sending-mta-ip']) },
          { key: 'mx', label: 'Receiving MX', cell: event => html`${value(event['receiving-mx-hostname'])}${event['receiving-mx-helo'] && event['receiving-mx-helo'] !== event['receiving-mx-hostname']
            ? html`<div class="note">HELO ${ui.text(event['receiving-mx-helo'], { most: 80 })}</div>` : nothing}` },
          { key: 'ip', label: 'Receiving address', cell: event => value(event['receiving-ip']) },
          { key: 'reason', label: 'Reason code', cell: event => value(event['failure-reason-code']) },
          { key: 'more', label: 'More information', cell: event => html`${value(event['additional-information'], 120)}${event.truncated
            ? html`<div class="note">cut: ${ui.short(event.truncated.join(', '))}</div>` : nothing}` },
        ],
      })}
      ${part.more}
      ${data.complete ? nothing : html`<p class="note">The first ${ui.number(all.length)} events; the document has them all.</p>`}`;
  }), { id: 'failures', note: 'Failure types overlap: these counts are never added up to a total.', aside: choose });
}

function day(iso) {
  return new Date(iso).toISOString().slice(0, 10);
}

function value(words, most = 80) {
  return words === undefined ? html`<span class="none">–</span>` : ui.text(words, { most });
}

// ---- the document ------------------------------------------------------------------------------------------------

function document(context, report) {
  const state = context.state;
  const raw = url('/api/v1/reports/raw', { key: report['report-key'] });
  const use = state.document ? context.useText('document', '/api/v1/reports/raw', { key: report['report-key'] }, MOST_BYTES) : undefined;
  const open = event => {
    state.document = event.target.open;
    context.update();
  };
  return ui.section('The document', html`<details @toggle=${open}><summary>Show the JSON as it was sent</summary>
    ${use ? ui.of(context, use, data => printed(context, data), {
      lines: 10,
      missing: () => html`<p class="note">There is no document any more.</p>`,
    }) : nothing}</details>`, {
    note: use?.error?.status === 410 ? 'The document is kept no longer; its counts are.' : 'After un-gzip and un-MIME; times and names are the sender’s own',
    aside: html`<a class="button" href=${raw} download="tls-report.json">${ui.icon('download')}Download</a>`,
  });
}

// a string may be cut off: it then goes to the end, so that no quotation mark is looked at twice
const TOKENS = /"[^"\\]*(?:\\[^][^"\\]*)*"?|[{}[\],:]|[^\s"{}[\],:]+/g;
const DEEPEST = 40;

/** In lines and indented, and nothing else changed: what is no JSON or has odd numbers stays as it was sent. */
function indented(text) {
  const parts = [];
  let depth = 0;
  let before = '';
  const line = () => parts.push('\n', '  '.repeat(Math.min(depth, DEEPEST)));
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '}' || token === ']') {
      depth = Math.max(depth - 1, 0);
      if (before !== '{' && before !== '[') line();
    } else if (before === '{' || before === '[' || before === ',') {
      line();
    }
    parts.push(token === ':' ? ': ' : token);
    if (token === '{' || token === '[') depth++;
    before = token;
  }
  return parts.join('');
}

/** Done once for a document, however often the page is drawn. */
function pretty(context, text) {
  if (context.state.pretty?.of !== text) context.state.pretty = { of: text, text: indented(text) };
  return context.state.pretty.text;
}

function printed(context, data) {
  const text = pretty(context, data.text);
  const all = context.state.all || text.length <= SHOWN_CHARACTERS;
  const more = () => {
    context.state.all = true;
    context.update();
  };
  return html`<div class="stack document-all">
    <p class="row">${ui.copyButton(text, 'Copy')} ${data.cut ? html`<span class="note">The first ${ui.number(MOST_BYTES / 1024 / 1024)} MiB; download it for all.</span>` : nothing}</p>
    <pre class="document" tabindex="0"><bdi>${ui.visible(all ? text : text.slice(0, SHOWN_CHARACTERS), { lines: true })}</bdi></pre>
    ${all ? nothing : html`<p class="more"><button type="button" class="button" @click=${more}>Show all ${ui.number(text.length)} characters</button></p>`}</div>`;
}
