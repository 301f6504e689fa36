// Who reports: how regularly, how surely it was them, how their reports deviate, and what of theirs was refused.
import { html, nothing, svg } from '/lib/lit-html/lit-html.js';
import { segment, url } from './api.js';
import * as ui from './ui.js';
import { AUTHENTICATIONS, LENIENCIES } from './words.js';

const STRIP = 30;
const SHOWN = 100;
const DOMAINS = 60;
const REFUSED = 10;
const TRUSTS = ['dkim', 'operator', 'none'];

// ---- the list ----------------------------------------------------------------------------------------------------

const SORTS = {
  submitter: row => row.submitter,
  reports: row => total(row),
  received: row => row['last-received-at'],
  days: row => row.days?.filter(day => day >= first()).length ?? 0,
  delay: row => seconds(row.delay),
  domains: row => row['domain-count'],
  deviations: row => Object.keys(row.leniencies ?? {}).length,
};

export const list = {
  title: () => 'Reporters',
  refresh: 300,

  view(context) {
    const use = context.useAll('reporters', '/api/v1/reporters');
    return html`
      <div class="page-head"><div><h1 tabindex="-1">Reporters</h1>
        <p class="subtitle">Who sends reports, how regularly, and how sure it is that it was them.</p></div>
        ${ui.csv('/api/v1/reporters?format=csv')}</div>
      ${ui.of(context, use, data => listed(context, data), { lines: 9 })}`;
  },
};

function listed(context, { rows, complete }) {
  if (rows.length === 0) {
    return ui.empty('Nobody has reported yet', html`Senders report once a day about the day before, so the first reports come one or two days after the TLSRPT
      record is published. Each domain’s page tells what stands in the way: <a href="/">go to the overview</a>.`, 'hourglass');
  }
  const q = (context.query.get('q') ?? '').toLowerCase();
  const column = Object.hasOwn(SORTS, context.query.get('sort') ?? '') ? context.query.get('sort') : 'reports';
  const descending = (context.query.get('order') ?? (column === 'submitter' ? 'up' : 'down')) === 'down';
  const found = ui.sorted(rows.filter(row => !q || `${row.submitter} ${row['organization-name'] ?? ''}`.toLowerCase().includes(q)), SORTS[column], descending);
  const part = ui.cut(context, 'shown', found, SHOWN);
  return html`
    <div class="toolbar filters">${ui.search({ label: 'Find a reporter', value: context.query.get('q') ?? '', onInput: value => context.replace({ q: value }) })}
      <span class="note">${found.length === rows.length ? ui.count(rows.length, 'reporter') : `${ui.number(found.length)} of ${ui.count(rows.length, 'reporter')}`}${complete ? '' : ', the first ones by name'}</span></div>
    ${found.length === 0 ? ui.empty('No reporter has this name', html`<a href=${context.href({ q: '' })}>Show all</a>`)
    : html`<section class="card"><div class="card-body">${ui.table({
      caption: 'Reporters',
      stack: true,
      rows: part.rows,
      key: row => row.submitter,
      sort: { key: column, descending },
      onSort: (key, down) => context.set({ sort: key, order: down ? 'down' : 'up' }),
      columns: [
        { key: 'submitter', label: 'Reporter', sort: true, cell: row => html`<a href=${`/reporters/${segment(row.submitter)}`}>${ui.short(row.submitter, 80)}</a>
          ${row['organization-name'] ? html`<div class="note">${ui.short(row['organization-name'], 80)}</div>` : nothing}` },
        { key: 'days', label: `Last ${STRIP} days`, sort: true, hint: 'The days it reported about', cell: row => strip(row) },
        { key: 'trust', label: 'How sure', cell: row => trust(row) },
        { key: 'reports', label: 'Reports', numeric: true, sort: true, cell: row => ui.number(total(row)) },
        { key: 'domains', label: 'Domains', numeric: true, sort: true, cell: row => ui.number(row['domain-count']) },
        { key: 'received', label: 'Last report', sort: true, cell: row => ui.ago(row['last-received-at']) },
        { key: 'delay', label: 'Delay', numeric: true, sort: true, hint: 'From the end of the day reported to its arrival, usually', cell: row => delay(row) },
        { key: 'deviations', label: 'Deviations', numeric: true, sort: true, hint: 'Kinds of deviation from RFC 8460', cell: row => {
          const kinds = Object.keys(row.leniencies ?? {}).length;
          return kinds === 0 ? html`<span class="none">none</span>` : ui.number(kinds);
        } },
      ],
    })}</div></section>${part.more}`}`;
}

function total(row) {
  return Object.values(row['report-counts'] ?? {}).reduce((sum, count) => sum + count, 0);
}

function seconds(duration) {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(duration ?? '');
  return parts ? (parts[1] ?? 0) * 86400 + (parts[2] ?? 0) * 3600 + (parts[3] ?? 0) * 60 + Number(parts[4] ?? 0) : undefined;
}

function delay(row) {
  return row.delay === undefined ? html`<span class="none">–</span>` : ui.duration(row.delay);
}

function trust(row) {
  const counts = row['report-counts'] ?? {};
  const some = TRUSTS.filter(word => counts[word] > 0);
  return html`<span class="row">${some.map(word => html`<span title=${AUTHENTICATIONS[word]}>${ui.trust(word)}${some.length > 1
    ? html` <span class="note">${ui.number(counts[word])}</span>` : nothing}</span>`)}</span>`;
}

// ---- the days it wrote about -------------------------------------------------------------------------------------

/** The first day of the strip; today cannot be reported about yet. */
function first() {
  return ui.plusDays(ui.today(), -STRIP);
}

function regularity(row) {
  const from = first();
  const days = new Set(row.days ?? []);
  const all = Array.from({ length: STRIP }, (_, i) => ui.plusDays(from, i));
  return { all, days, count: all.filter(day => days.has(day)).length };
}

/** A square for each day, oldest first; yesterday's report may still be under way. */
function strip(row) {
  const { all, days, count } = regularity(row);
  const words = `reported about ${count} of the last ${STRIP} days`;
  return html`<span class="strip"><svg role="img" aria-label=${words} viewBox=${`0 0 ${STRIP * 4} 12`}><title>${words}</title>${all.map((day, i) => square(day, i, days.has(day)))}</svg>
    <span class="note num">${count}</span></span>`;
}

function square(day, i, there) {
  const state = there ? 'there' : i >= STRIP - 2 ? 'due' : 'missing';
  return svg`<rect x=${i * 4} y=${there ? 0 : 9} width="3" height=${there ? 12 : 3} rx="0.5" data-state=${state}><title>${day}: ${DAYS[state]}</title></rect>`;
}

// ---- one reporter ------------------------------------------------------------------------------------------------

export const one = {
  title: params => params.submitter,

  view(context) {
    const submitter = context.params.submitter;
    const use = context.use('reporter', `/api/v1/reporters/${segment(submitter)}`);
    return html`
      <div class="page-head"><div>${ui.crumbs(['/reporters', 'Reporters'], [undefined, submitter])}
        <h1 tabindex="-1">${ui.text(submitter, { most: 120 })}</h1>
        <p class="subtitle"><span>${use.data?.['organization-name'] ? html`calls itself ${ui.text(use.data['organization-name'], { most: 120 })}` : html`&nbsp;`}</span></p></div></div>
      ${ui.of(context, use, row => shown(context, row), {
        lines: 12,
        missing: () => html`${ui.empty('Nothing was accepted from this reporter', 'If anything of it was refused, it stands below.')}${refused(context, submitter)}`,
      })}`;
  },
};

function shown(context, row) {
  const { count } = regularity(row);
  const part = ui.cut(context, 'domains', row.domains ?? [], DOMAINS);
  const kinds = Object.entries(row.leniencies ?? {}).sort(([, a], [, b]) => b - a);
  return html`
    ${ui.section('How regularly', html`
      ${ui.figures([
        { label: `Days reported, of the last ${STRIP}`, value: ui.number(count), kind: count === 0 ? 'critical' : count < STRIP - 3 ? 'warning' : 'ok' },
        { label: 'Reports', value: ui.number(total(row)) },
        { label: 'Usual delay', value: delay(row), note: 'after the end of the day' },
        { label: 'Domains', value: ui.number(row['domain-count']) },
      ])}
      ${calendar(row)}
      <dl class="pairs"><dt>First report</dt><dd>${ui.time(row['first-received-at'])}</dd>
        <dt>Last report</dt><dd>${ui.time(row['last-received-at'])} (${ui.ago(row['last-received-at'])})</dd>
        <dt>Latest period</dt><dd>from ${ui.time(row['last-start-datetime'])}</dd></dl>`)}
    <div class="grid wide">
      ${ui.section('How sure it is that it was them', html`<ul class="items">${TRUSTS.filter(word => row['report-counts']?.[word] > 0).map(word => html`<li>
        <p class="row">${ui.trust(word)} <b>${ui.count(row['report-counts'][word], 'report')}</b></p><p class="note">${AUTHENTICATIONS[word]}${word === 'none'
          ? '. Such reports never make an alert critical and never end one, and their counts are kept apart.' : ''}</p></li>`)}</ul>`)}
      ${ui.section('Deviations from RFC 8460', kinds.length === 0 ? html`<p class="note">None: its reports are as the RFC asks.</p>`
        : html`<ul class="items">${kinds.map(([name, reports]) => html`<li><p class="row"><code>${ui.short(name, 80)}</code> <span class="note">${ui.count(reports, 'report')}</span></p>
          <p>${LENIENCIES[name] ?? 'Read all the same.'}</p></li>`)}</ul>`, { note: 'All of it is read all the same; nothing is to be done here.' })}
      ${refused(context, row.submitter)}
      ${ui.section('Domains it reports about', part.rows.length === 0 ? html`<p class="note">None that is known any more.</p>`
        : html`<ul class="columns">${part.rows.map(domain => html`<li><a href=${url(`/domains/${segment(domain)}`, { submitter: row.submitter })}>${ui.short(domain)}</a></li>`)}</ul>${part.more}`, {
        note: row['domain-count'] > (row.domains?.length ?? 0) ? `The first ${ui.number(row.domains?.length)} of ${ui.number(row['domain-count'])}` : nothing,
      })}
    </div>`;
}

/** The days as a list that can be read; the picture is beside it. */
function calendar(row) {
  const { all, days } = regularity(row);
  return html`<ol class="calendar" aria-label=${`The last ${STRIP} days, oldest first`}>${all.map((day, i) => {
    const state = days.has(day) ? 'there' : i >= STRIP - 2 ? 'due' : 'missing';
    return html`<li data-state=${state} title=${`${day}: ${DAYS[state]}`}><span aria-hidden="true">${Number(day.slice(8))}</span><span class="sr">${day}: ${DAYS[state]}</span></li>`;
  })}</ol>
  <p class="legend note"><span><i data-state="there"></i>reported</span><span><i data-state="missing"></i>no report</span><span><i data-state="due"></i>not due yet</span></p>`;
}

const DAYS = { there: 'reported', missing: 'no report', due: 'no report yet' };

function refused(context, submitter) {
  const use = context.use('refused', '/api/v1/rejected', { submitter, limit: REFUSED });
  return ui.section('What was refused', ui.of(context, use, ({ rows, complete }) => rows.length === 0
    ? html`<p class="note">${complete ? 'Nothing in the last 30 days.' : 'Nothing among the newest that were looked through.'}</p>`
    : html`<ul class="items">${rows.map(row => html`<li><p class="row"><a href=${url('/rejected/record', { partition: row.partition, offset: row.offset })}><code>${ui.short(row.reason ?? 'unknown', 80)}</code></a>
        <span class="note">${ui.time(row.at)}</span></p><p class="note">${ui.text(row.detail, { most: 200 })}</p></li>`)}</ul>
      <p><a href=${url('/rejected', { submitter })}>All that was refused in its name</a></p>`, { lines: 3 }), {
    note: 'In its name: anybody can write one',
  });
}
