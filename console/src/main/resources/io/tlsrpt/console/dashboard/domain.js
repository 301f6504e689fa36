// One domain: what its reports say, each list a filter for all others, and what to do about it.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import * as ui from './ui.js';
import { stateBadge } from './overview.js';

export const title = params => params.domain;
export const refresh = 60;

const PRESETS = [7, 30, 90, 400];
const DEFAULT_DAYS = 30;
const MOST_DAYS = 3660;
const FACET_STEP = 8;
const FAILING_DAYS = 3;
const MOST_EVENTS = 2000;

/** Filters as the summary knows them: [name of the parameter, its name for people]. */
const FILTERS = [
  ['result-type', 'Failure type'],
  ['mx', 'MX'],
  ['submitter', 'Reporter'],
];

const CLASS_WORDS = { starttls: 'STARTTLS', certificate: 'certificate', dane: 'DANE', 'sts-policy': 'MTA-STS policy', other: 'other' };

/** Nothing that a shell could take for anything but a name. */
const HOST_NAME = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function asked(query) {
  const today = ui.today();
  const to = ui.isDay(query.get('to')) ? query.get('to') : today;
  let from = query.get('from');
  if (!ui.isDay(from) || from > to || ui.daysBetween(from, to) > MOST_DAYS) {
    const days = Number(query.get('days'));
    from = ui.plusDays(to, 1 - (days >= 1 && days <= MOST_DAYS ? Math.floor(days) : DEFAULT_DAYS));
  }
  const one = name => query.get(name) || undefined;
  return {
    from, to, preset: to === today && !query.get('from') ? ui.daysBetween(from, to) : undefined,
    filter: {
      'policy-type': one('policy-type'), trust: one('trust'),
      'result-type': one('result-type'), mx: one('mx'), submitter: one('submitter'),
    },
  };
}

export function view(context) {
  const { domain } = context.params;
  const now = asked(context.query);
  const base = ui.api('domains', domain);
  const range = { from: now.from, to: now.to };
  const uses = {
    row: context.use('row', base),
    summary: context.use('summary', `${base}/summary`, { ...range, ...now.filter }),
    alerts: context.use('alerts', '/api/v1/alerts', { state: 'firing', domain, limit: 50 }),
    readiness: context.use('readiness', `${base}/readiness`),
    help: context.use('help', '/api/v1/help'),
    reports: context.use('reports', `${base}/reports`, { limit: 8 }),
  };
  const head = header(context, domain, uses.row, now);
  const nobodysDomain = !uses.row.data && [400, 404].includes(uses.row.error?.status);
  if (nobodysDomain && settled(uses.summary) && !uses.summary.data?.days?.length) return html`${head}${unknown(Object.keys(context.session?.labels ?? {}).length > 0)}`;
  if (!settled(uses.row) || !settled(uses.alerts)) return html`${head}<section class="card"><div class="card-body">${ui.loading(24)}</div></section>`;
  const reported = uses.row.data === undefined || uses.row.data['last-received-at'] || uses.row.data.trend
    || uses.summary.data?.days?.length > 0;
  if (!reported) return html`${head}${pending(uses.row)}${firing(context, uses.alerts)}${arrival(context, uses.row, false)}${readiness(context, uses.readiness)}`;
  return html`${head}
    ${pending(uses.row)}
    ${firing(context, uses.alerts)}
    ${rangeBar(context, now)}
    ${numbers(context, uses.summary, now)}
    ${facets(context, uses.summary, now)}
    ${help(context, uses.summary, uses.help, domain, now)}
    <div class="grid wide">${policy(context, uses.summary)}${readiness(context, uses.readiness, uses.row.data?.['policy-mode'])}</div>
    ${arrival(context, uses.row, true)}
    ${events(context, uses.summary, base, range, now)}
    ${reports(context, uses.reports, base)}`;
}

/** Whether it can be shown, so that what comes later pushes nothing away. */
function settled(use) {
  return use.data !== undefined || use.error !== undefined;
}

function header(context, domain, use, now) {
  const row = use.data;
  return html`<div class="page-head"><div>${ui.crumbs(['/', 'Overview'], [null, domain])}
    <h1 tabindex="-1">${ui.text(domain)}</h1>
    <div class="subtitle">${row ? html`${stateBadge(row.state)}${row['policy-mode'] ? html`<span>MTA-STS ${ui.mode(row['policy-mode'])}</span>` : nothing}
      ${row['last-received-at'] ? html`<span>last report ${ui.ago(row['last-received-at'])}</span>` : nothing}
      ${row.configured === false ? html`<span>not configured</span>` : nothing}${ui.labels(row.labels, { linked: true })}` : html`<span class="hold">&nbsp;</span>`}</div></div>
    <div class="actions">${ui.csv(`${ui.api('domains', domain)}/aggregates?format=csv&limit=100000&from=${now.from}&to=${now.to}`, 'Aggregates as CSV')}</div></div>`;
}

function pending(use) {
  if (use.data?.state !== 'pending') return nothing;
  return ui.section('Somebody has to accept this domain', html`<p>Its TLSRPT record names this system, but it is not configured. What is
    reported is counted; no alert comes of it. Accept it when it is yours:</p>${HOST_NAME.test(use.data.domain)
    ? ui.code(`./tlsrpt domains accept ${use.data.domain}`, { label: 'Copy command' }) : html`<p><code>./tlsrpt domains accept</code></p>`}`, { kind: 'warning' });
}

function unknown(limited) {
  if (limited) {
    return html`<section class="card"><div class="card-body">${ui.empty('This domain is not shown to you', html`<p>Nothing is known of it, or it lacks the
      labels that you are limited to. <a href="/">Your domains</a>.</p>`, 'unknown')}</div></section>`;
  }
  return html`<section class="card"><div class="card-body">${ui.empty('Nothing is known of this domain', html`<p>It is not
    configured, and no report names it. <a href="/">All domains</a> · reports about other domains are among the
    <a href="/rejected?reason=foreign-domain">rejected</a>.</p>`, 'unknown')}</div></section>`;
}

function rangeBar(context, now) {
  const days = count => ({
    href: context.href({ days: count === DEFAULT_DAYS ? '' : count, from: '', to: '' }), words: `${count} days`, on: now.preset === count,
  });
  const custom = async () => {
    let chosen;
    const ok = await ui.ask({
      title: 'Days to look at', confirm: 'Show',
      body: () => html`<label class="field block"><span class="field-name">First day (UTC)</span><input type="date" name="from" .value=${now.from} max=${ui.today()} required></label>
        <label class="field block"><span class="field-name">Last day (UTC)</span><input type="date" name="to" .value=${now.to} max=${ui.today()} required></label>`,
      onConfirm: async form => {
        chosen = { from: form.get('from'), to: form.get('to') };
        if (chosen.from > chosen.to) throw new Error('The first day is after the last one.');
        if (ui.daysBetween(chosen.from, chosen.to) > MOST_DAYS) throw new Error(`At most ${ui.number(MOST_DAYS)} days.`);
      },
    });
    if (ok) context.set({ ...chosen, days: '' });
  };
  const on = FILTERS.filter(([name]) => now.filter[name]);
  return html`<div class="toolbar range">
    ${ui.segmented('Days', PRESETS.map(days))}
    <button type="button" class="button quiet" @click=${custom}>${ui.icon('clock')}${now.preset ? 'Other days' : `${now.from} to ${now.to}`}</button>
    ${ui.chips(on.map(([name, words]) => ui.chip(words, now.filter[name], context.href({ [name]: '' }))),
      context.href(Object.fromEntries(FILTERS.map(([name]) => [name, '']))))}
  </div>`;
}

// ---- alerts ------------------------------------------------------------------------------------------------------

function firing(context, use) {
  const rows = use.data?.rows ?? [];
  if (use.error && !use.data) return ui.failure(use.error, () => context.refresh());
  if (rows.length === 0) return nothing;
  const worst = rows.some(alert => alert.severity === 'critical') ? 'critical' : 'warning';
  return ui.section(rows.length === 1 ? 'One alert fires' : `${ui.number(rows.length)}${use.data.complete === false ? '+' : ''} alerts fire`,
    html`<ul class="lines">${rows.map(alert => html`<li>${ui.severity(alert.severity)}
      <div><a href=${ui.path('alerts', alert['alert-id'])}>${ui.short(alert.summary, 400)}</a>
      <p class="note">since ${ui.time(alert['opened-at'])}${alert.acknowledged ? html` · acknowledged${alert.acknowledged.by ? html` by ${ui.text(alert.acknowledged.by, { most: 60 })}` : nothing}` : nothing}</p></div></li>`)}</ul>`, { kind: worst });
}

// ---- numbers over time -------------------------------------------------------------------------------------------

function allDays(from, to) {
  return Array.from({ length: ui.daysBetween(from, to) }, (_, i) => ui.plusDays(from, i));
}

const series = new WeakMap();

/** Values for each day of the range, made once for each answer. */
function daily(summary) {
  if (!series.has(summary)) {
    const days = allDays(summary.from, summary.to);
    const at = new Map(summary.days.map(day => [day.window, day]));
    const of = value => days.map(day => (at.has(day) ? value(at.get(day)) : undefined));
    series.set(summary, {
      days,
      all: of(day => day['total-successful-session-count'] + day['total-failure-session-count']),
      bad: of(day => day['total-failure-session-count']),
      matching: of(day => day['failed-session-count'] ?? 0),
      rate: of(day => {
        const all = day['total-successful-session-count'] + day['total-failure-session-count'];
        return all > 0 ? day['total-successful-session-count'] / all : undefined;
      }),
    });
  }
  return series.get(summary);
}

function numbers(context, use, now) {
  const narrowed = now.filter['result-type'] || now.filter.mx;
  return html`<section class="card" aria-labelledby="numbers-head" aria-busy=${use.loading}><h2 class="sr" id="numbers-head">Numbers</h2><div class="card-body numbers">${ui.of(context, use, data => {
    const totals = data.totals ?? {};
    const good = totals['total-successful-session-count'] ?? 0;
    const bad = totals['total-failure-session-count'] ?? 0;
    const about = `${ui.policyType(data['policy-type'] ?? '')} · ${ui.TRUST[data.trust] ?? ''} reports`;
    return html`
      ${data['by-policy-type']?.length > 1 || data['by-trust']?.length > 1 ? html`<div class="row spread"><div class="row">${choice(context, 'Policy type', 'policy-type', data['by-policy-type'], data['policy-type'], ui.policyType)}
        ${choice(context, 'Trust', 'trust', data['by-trust'], data.trust, word => ui.TRUST[word] ?? ui.visible(word))}</div>
        <p class="note">Policy types describe the same sessions, and trusted numbers never mix with others: one of each at a time.</p></div>` : nothing}
      ${ui.figures([
        { label: 'Success rate', value: ui.percent(good, good + bad), kind: bad === 0 ? 'ok' : good / (good + bad) < 0.98 ? 'critical' : undefined, note: about },
        { label: 'Sessions', value: ui.number(good + bad) },
        { label: 'Failed sessions', value: ui.number(bad), kind: bad > 0 && good / (good + bad) < 0.98 ? 'critical' : undefined },
        ...(narrowed ? [{ label: 'Failures that match', value: ui.number(totals['failed-session-count'] ?? 0), note: 'failure types overlap' }] : []),
        ...since(data, narrowed),
        { label: 'Reports', value: ui.number(totals['report-count'] ?? 0) },
        { label: 'Days with reports', value: html`${ui.number(data.days.length)}<span class="of"> of ${ui.number(ui.daysBetween(data.from, data.to))}</span>` },
      ])}
      ${data.days.length === 0 ? ui.empty('No report covers these days', html`<a href=${context.href({ days: 400, from: '', to: '', 'result-type': '', mx: '', submitter: '' })}>Look at 400 days without filters</a>`)
        : charts(context, data, narrowed)}`;
  }, { lines: 16 })}</div></section>`;
}

/** Since when sessions fail, or when the last one did; days without reports break nothing. */
function since(data, narrowed) {
  const fails = day => (day['failed-session-count'] ?? 0) > 0 || (!narrowed && day['total-failure-session-count'] > 0);
  const matches = data.days.map(fails);
  const last = matches.lastIndexOf(true);
  if (last < 0) return [];
  if (last < matches.length - 1) return [{ label: 'Last failure', value: html`<span class="date">${data.days[last].window}</span>`, note: `${ui.count(matches.length - 1 - last, 'clean day')} after` }];
  const first = matches.lastIndexOf(false) + 1;
  return [{
    label: 'Failing since', value: html`<span class="date">${first === 0 && data.days[0].window === data.from ? 'before ' : ''}${data.days[first].window}</span>`,
    note: `${ui.count(matches.length - first, 'day')} with reports, each with failures`,
  }];
}

function charts(context, data, narrowed) {
  const { days, all, bad, rate, matching } = daily(data);
  const onRange = (from, to) => context.set({ from, to, days: '' });
  return html`<div class="charts">
    <div><h3>Success rate</h3>${ui.chart({
      label: `Success rate by day, ${ui.visible(data.domain)}`, days, onRange,
      series: [{ label: 'Success rate', values: rate, kind: 'line', colour: 'series-rate', percent: true, area: true }],
    })}</div>
    <div><div class="row spread"><h3>Sessions</h3><p class="legend"><span><i data-colour="series-good"></i>all</span><span><i data-colour="series-bad"></i>${narrowed ? 'failures that match' : 'failed'}</span></p></div>${ui.chart({
      label: `Sessions by day, ${ui.visible(data.domain)}`, days, onRange,
      series: [
        { label: 'All sessions', values: all, kind: 'bars', colour: 'series-good' },
        narrowed ? { label: 'Failures that match', values: matching, kind: 'bars', colour: 'series-bad' }
          : { label: 'Failed sessions', values: bad, kind: 'bars', colour: 'series-bad' },
      ],
    })}</div></div>
    ${narrowed ? html`<p class="note">Totals are of all failure types and MX: reports count sessions for a policy, not for an MX (RFC 8460 §4).</p>` : nothing}`;
}

function choice(context, label, name, rows, now, words) {
  const known = (rows ?? []).map(row => row[name]);
  if (now && !known.includes(now)) known.unshift(now);
  if (known.length < 2) return nothing;
  return ui.segmented(label, known.map(value => ({ href: context.href({ [name]: value }), words: words(value), on: value === now })));
}

// ---- lists that filter -------------------------------------------------------------------------------------------

function facets(context, use, now) {
  const card = (name, heading, rows, options) => ui.section(heading,
    ui.of(context, use, data => facet(context, data, name, rows(data), now.filter[name], options), { lines: 6 }), { note: options.note });
  const failed = row => row['failed-session-count'];
  return html`<div class="grid facets" aria-busy=${use.loading}>
    ${card('result-type', 'Failures by type', data => data['by-result-type'], {
      count: failed, note: 'failed sessions; types overlap', none: 'No failure', omitted: 'by-result-type-omitted',
      words: row => html`${ui.short(row['result-type'])} ${row['failure-class'] ? ui.tag(CLASS_WORDS[row['failure-class']] ?? row['failure-class']) : nothing}`,
    })}
    ${card('mx', 'Failures by MX', data => data['by-mx'], {
      count: failed, note: 'failed sessions; an MX has no total of its own', none: 'No failure', key: 'receiving-mx-hostname',
      omitted: 'by-mx-omitted', words: row => (row['receiving-mx-hostname'] ? ui.short(row['receiving-mx-hostname']) : html`<span class="none">entries that name none</span>`),
    })}
    ${card('submitter', 'By reporter', data => data['by-submitter'], {
      count: row => row['total-successful-session-count'] + row['total-failure-session-count'], bad: row => row['total-failure-session-count'],
      note: 'sessions, and how many of them failed', none: 'No reporter', omitted: 'by-submitter-omitted',
      words: row => ui.short(row.submitter),
    })}</div>`;
}

function facet(context, data, name, all, chosen, { key = name, count, bad, words, none, omitted }) {
  const rows = all ?? [];
  if (rows.length === 0) return ui.empty(none, nothing, bad ? 'none' : 'ok');
  const wanted = (context.state[`find-${name}`] ?? '').toLowerCase();
  const fitting = wanted ? rows.filter(row => (row[key] ?? '').toLowerCase().includes(wanted)) : rows;
  const first = fitting.filter(row => chosen !== undefined && row[key] === chosen);
  const ordered = first.length > 0 ? [...first, ...fitting.filter(row => row[key] !== chosen)] : fitting;
  const { rows: shown, more } = ui.cut(context, `many-${name}`, ordered, FACET_STEP);
  const most = Math.max(...rows.map(count), 1);
  return html`
    ${rows.length > FACET_STEP ? ui.search({ label: `Find among ${ui.number(rows.length)}`, value: context.state[`find-${name}`] ?? '', onInput: text => {
      context.state[`find-${name}`] = text;
      context.update();
    } }) : nothing}
    <ul class="facet">${shown.map(row => {
      const on = chosen !== undefined && row[key] === chosen;
      const content = html`<span class="facet-words">${on ? ui.icon('check') : nothing}${words(row)}</span>
        <span class="facet-count">${ui.number(count(row))}${bad?.(row) > 0 ? html` <span class="bad">${ui.number(bad(row))} failed</span>` : nothing}</span>
        <span class="facet-bar">${ui.bar(count(row), most, bad ? 'accent' : 'critical')}</span>`;
      return html`<li>${row[key] === undefined ? html`<span class="facet-row">${content}</span>`
        : html`<a class="facet-row" aria-current=${on ? 'true' : nothing} href=${context.href({ [name]: on ? '' : row[key] })}>${content}</a>`}</li>`;
    })}</ul>
    ${more}
    ${data[omitted] ? html`<p class="note">${ui.number(data[omitted])} more with fewer are left out; the aggregates as CSV have them.</p>` : nothing}`;
}

// ---- what to do --------------------------------------------------------------------------------------------------

function help(context, summary, catalogue, domain, now) {
  const present = summary.data?.['by-result-type'] ?? [];
  if (present.length === 0) return nothing;
  const chosen = now.filter['result-type'];
  const wanted = chosen ? present.filter(row => row['result-type'] === chosen) : present;
  const { rows, more } = ui.cut(context, 'help', wanted.length > 0 ? wanted : present, 3);
  const modes = summary.data['policy-modes'] ?? [];
  const mode = summary.data['policy-type'] === 'sts' ? modes.at(-1)?.['policy-mode'] : summary.data['policy-type'];
  const mxs = (summary.data['by-mx'] ?? []).map(row => row['receiving-mx-hostname']).filter(Boolean);
  const filled = words => {
    // which MX failed so is known only of one type at a time: a command at another one would show that all is well
    const mx = now.filter.mx ?? (chosen || present.length === 1 || mxs.length === 1 ? mxs[0] : undefined);
    let text = words;
    if (mx && HOST_NAME.test(mx)) text = text.replaceAll('<mx>', mx);
    if (HOST_NAME.test(domain)) text = text.replaceAll('<domain>', domain);
    return text;
  };
  return ui.section('What the failures mean, and what to do', ui.of(context, catalogue, data => html`<div class="stack">${rows.map(row => {
    const known = data.rows.find(entry => entry['result-type'] === row['result-type']);
    const entry = known ?? data.rows.find(other => other['result-type'] === 'other');
    return html`<details class="help" ?open=${rows.length === 1 || row === rows[0]}><summary><span class="help-head"><strong>${ui.short(row['result-type'], 80)}</strong>
      <span class="note">${ui.count(row['failed-session-count'], 'failed session')}</span></span></summary>
      ${entry ? html`<div class="help-body">
        <div><h3>Meaning</h3><p>${ui.prose(entry.meaning)}</p></div>
        <div><h3>Urgency${mode ? html` <span class="note">${summary.data['policy-type'] === 'sts' ? 'in mode ' : 'under '}${mode === 'tlsa' ? 'DANE' : ui.visible(mode)}</span>` : nothing}</h3>${urgency(entry.urgency, mode)}</div>
        <div><h3>Fix</h3><p>${ui.prose(filled(entry.fix))}</p></div>
        <div class="help-wide"><h3>Verify</h3>${ui.code(filled(entry.verify), { label: 'Copy command' })}</div>
        ${entry.runbook ? html`<p class="help-wide"><a href=${entry.runbook}>More in the runbook</a></p>` : nothing}</div>` : html`<p class="help-body">A word of this reporter’s own.</p>`}</details>`;
  })}</div>${more}`), { note: 'For the failures of these days and filters.' });
}

function urgency(urgency, mode) {
  if (typeof urgency === 'string') return html`<p>${ui.prose(urgency)}</p>`;
  if (urgency[mode]) return html`<p>${ui.prose(urgency[mode])}</p>`;
  return html`<p class="note">The mode of the policy is not known.</p>${ui.facts(Object.entries(urgency).map(([name, words]) => [name, ui.prose(words)]))}`;
}

// ---- policy and readiness ----------------------------------------------------------------------------------------

function policy(context, use) {
  return ui.section('Policy mode', ui.of(context, use, data => {
    const modes = data['policy-modes'] ?? [];
    if (modes.length === 0) return ui.empty('No mode is known', 'No MTA-STS policy is named by the reports of these days.');
    return html`<ol class="modes">${modes.toReversed().slice(0, 20).map((change, i) => html`<li><span class="time">${change.window}</span>
      <span>${change['policy-mode'] ? ui.mode(change['policy-mode']) : html`<span class="none">unknown</span>`}
      <span class="note">${modes.length - 2 - i < 0 ? 'since the first of these days' : `changed from ${ui.visible(modes[modes.length - 2 - i]['policy-mode'] ?? 'unknown')}`}</span></span></li>`)}</ol>
      ${modes.length > 20 ? html`<p class="note">${ui.number(modes.length - 20)} earlier changes are not shown.</p>` : nothing}`;
  }), { note: 'of the MTA-STS policy, as reporters saw it' });
}

const VERDICTS = {
  ready: ['ok', 'Ready for enforce'],
  'not-ready': ['warning', 'Not ready for enforce'],
  'not-enough-data': ['none', 'Not enough data yet'],
};
const CONDITION = { met: ['ok', 'met'], unmet: ['warning', 'not met'], unknown: ['unknown', 'not known'] };

const CONDITIONS = {
  days: 'Days with reports', reporters: 'Reporters', sessions: 'Sessions', failures: 'Failures', policy: 'MTA-STS policy', mx: 'MX hosts', tls: 'TLS at the MX hosts',
};

function readiness(context, use, mode) {
  return ui.section('Readiness for enforce', ui.of(context, use, data => {
    const [kind, words] = VERDICTS[data.verdict] ?? ['unknown', data.verdict];
    return html`<p>${ui.badge(kind, words)}</p>
      <ul class="verdicts">${(data.conditions ?? []).map(condition => {
        const [mark, state] = CONDITION[condition.state] ?? ['unknown', condition.state];
        return html`<li data-kind=${mark}>${ui.icon(mark)}<div><strong>${CONDITIONS[condition.name] ?? ui.visible(condition.name)}</strong><span class="sr"> (${state})</span>
          <p>${ui.text(condition.words, { most: 500 })}</p></div></li>`;
      })}</ul>
      ${data.failures?.length > 0 ? html`<details><summary>What failed (${ui.number(data.failures.length)})</summary>${ui.table({
        caption: 'What failed in the days that count', dense: true, rows: data.failures.slice(0, 100),
        columns: [
          { key: 'type', label: 'Failure type', cell: row => ui.text(row['result-type'], { most: 60 }) },
          { key: 'mx', label: 'MX', cell: row => (row['receiving-mx-hostname'] ? ui.text(row['receiving-mx-hostname'], { most: 60 }) : html`<span class="none">–</span>`) },
          { key: 'sessions', label: 'Failed sessions', numeric: true, cell: row => ui.number(row['failed-session-count']) },
          { key: 'last', label: 'Last day', cell: row => row['last-window'] },
        ],
      })}</details>` : nothing}`;
  }, { lines: 7, missing: () => ui.empty('Nothing to judge yet', 'Readiness is judged from the reports of the last 30 days and the last live look.') }),
  { note: mode === 'enforce' ? 'the MTA-STS policy is in enforce already; may it stay?' : 'may the MTA-STS policy go from testing to enforce?' });
}

// ---- do reports come ---------------------------------------------------------------------------------------------

const CHECKS = {
  record: 'TLSRPT record', rua: 'Where it sends to', reports: 'Reports', rejected: 'Rejected reports', adoption: 'Who reports at all', mailbox: 'Mailbox',
};
const STATE = { ok: ['ok', 'in order'], problem: ['warning', 'a problem'], unknown: ['unknown', 'not known'] };

function arrival(context, use, reported) {
  if (use.error?.status === 404) return nothing;
  const wrong = use.data?.arrival?.some(check => check.state === 'problem');
  return ui.section(reported ? 'Do reports arrive?' : 'No reports yet: why', ui.of(context, use, data => (data.arrival?.length > 0
    ? html`<ul class="verdicts wide">${data.arrival.map(check => {
      const [mark, state] = STATE[check.state] ?? ['unknown', check.state];
      return html`<li data-kind=${mark}>${ui.icon(mark)}<div><strong>${CHECKS[check.check] ?? ui.visible(check.check)}</strong><span class="sr"> (${state})</span>
        <p>${ui.text(check.text, { most: 500 })}</p>${check.fix ? html`<p class="fix">${ui.text(check.fix, { most: 800 })}</p>` : nothing}</div></li>`;
    })}</ul>` : ui.empty('Not looked at yet', html`<p>The next live look tells. At once: <code>./tlsrpt check ${ui.visible(context.params.domain)}</code></p>`, 'hourglass'))),
  { note: use.data?.['inspected-at'] ? html`last live look ${ui.ago(use.data['inspected-at'])}` : 'what the live look and the reports show', kind: !reported && wrong ? 'warning' : undefined });
}

// ---- single events and reports -----------------------------------------------------------------------------------

/** The report-key that an event's id begins with. */
function reportKey(event) {
  return event['event-id']?.replace(/#[^#]*$/, '');
}

/** The newest days with failures: the topic is read from the first of them on, so they are few and close together. */
function failingDays(summary) {
  const days = summary.days.filter(day => day['total-failure-session-count'] > 0 || day['failed-session-count'] > 0).map(day => day.window);
  return days.slice(-FAILING_DAYS).filter(day => ui.daysBetween(day, days.at(-1)) <= 7);
}

function events(context, summary, base, range, now) {
  const days = summary.data ? failingDays(summary.data) : [];
  const failing = days.length > 0 && summary.data;
  const use = context.useAll('events', failing ? `${base}/events` : undefined, failing ? {
    from: days[0], to: days.at(-1), submitter: now.filter.submitter, 'result-type': now.filter['result-type'], mx: now.filter.mx,
  } : {}, MOST_EVENTS, { once: true, pages: 5, version: failing && summary.data.totals?.['failed-session-count'] });
  const of = event => event.kind === 'failure' && event['policy-type'] === summary.data['policy-type']
    && (event.authentication === 'none') === (summary.data.trust === 'unverified');
  const query = new URLSearchParams({ format: 'csv', limit: '100000', ...range });
  for (const [name] of FILTERS) if (now.filter[name]) query.set(name, now.filter[name]);
  return ui.section('Newest failures', ui.of(context, summary.data && !failing ? { data: { rows: [], complete: true } } : use, data => {
    const { rows, more } = ui.cut(context, 'events',
      ui.sorted(data.rows.filter(of).toReversed(), event => event['start-datetime'], true), 10);
    if (rows.length === 0) return failing && !data.complete
      ? ui.empty('Too many to look through here', 'Narrow it by a filter or fewer days, or take the CSV.', 'unknown')
      : ui.empty(failing ? 'No single failure is told of' : 'No failure in these days', failing ? 'Reporters may count failures without details.' : nothing, failing ? 'none' : 'ok');
    return html`${ui.table({
      caption: 'Newest failure entries', rows, stack: true, dense: true, key: event => event['event-id'],
      columns: [
        { key: 'day', label: 'Day', cell: event => html`<a href=${`/reports/view?key=${encodeURIComponent(reportKey(event))}`}>${event['start-datetime']?.slice(0, 10)}</a>${event.retraction ? html` ${ui.tag('taken back')}` : nothing}` },
        { key: 'type', label: 'Failure type', cell: event => ui.text(event['result-type'], { most: 60 }) },
        { key: 'count', label: 'Sessions', numeric: true, cell: event => ui.number(event['failed-session-count']) },
        { key: 'mx', label: 'Receiving MX', cell: event => some(event['receiving-mx-hostname']) },
        { key: 'ip', label: 'Receiving IP', cell: event => some(event['receiving-ip']) },
        { key: 'from', label: 'Sending IP', cell: event => some(event['sending-mta-ip']) },
        { key: 'reason', label: 'Reason code', cell: event => some(event['failure-reason-code']) },
        { key: 'by', label: 'Reporter', cell: event => ui.link(ui.path('reporters', event.submitter), event.submitter, { most: 60 }) },
      ],
    })}${more}${data.complete ? nothing : html`<p class="note">There are more; the CSV has all of these days.</p>`}`;
  }, { lines: 8 }), { note: days.length > 0 ? `one line for each failure entry of a report, ${days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`}` : 'one line for each failure entry of a report', aside: ui.csv(`${base}/events?${query}`) });
}

function some(value) {
  return value === undefined || value === '' ? html`<span class="none">–</span>` : ui.text(value, { most: 60 });
}

function reports(context, use, base) {
  return ui.section('Recent reports', ui.of(context, use, data => {
    if (data.rows.length === 0) return ui.empty('No report yet');
    const sum = (report, name) => (report.entries ?? []).filter(entry => entry['policy-domain'] === context.params.domain)
      .map(entry => html`<span class="entry"><span class="note">${ui.policyType(entry['policy-type'])}</span> ${ui.number(entry[name])}</span>`);
    return ui.table({
      caption: 'Recent reports', rows: data.rows, stack: true, dense: true, key: report => report['report-key'],
      columns: [
        { key: 'received', label: 'Received', cell: report => html`<a href=${`/reports/view?key=${encodeURIComponent(report['report-key'])}`}>${ui.time(report['received-at'])}</a>` },
        { key: 'by', label: 'Reporter', cell: report => ui.link(ui.path('reporters', report.submitter), report.submitter, { most: 60 }) },
        { key: 'day', label: 'Covers', cell: report => covers(report) },
        { key: 'good', label: 'Successful', numeric: true, cell: report => sum(report, 'total-successful-session-count') },
        { key: 'bad', label: 'Failed', numeric: true, cell: report => sum(report, 'total-failure-session-count') },
        { key: 'trust', label: 'Trust', cell: report => ui.trust(report.authentication) },
        { key: 'source', label: 'Came by', cell: report => ui.visible(report.source) },
      ],
    });
  }, { lines: 8 }), { aside: ui.csv(`${base}/reports?format=csv&limit=100000`) });
}

function covers(report) {
  const from = report['start-datetime']?.slice(0, 10);
  const to = report['end-datetime']?.slice(0, 10);
  return from === to ? from : `${from} to ${to}`;
}
