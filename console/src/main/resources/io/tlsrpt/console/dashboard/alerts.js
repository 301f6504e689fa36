// What is wrong now and what was: the list, and one alert with the numbers that made it, what to do, and what people did.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { segment, url } from './api.js';
import { readOnly, silence } from './silences.js';
import * as ui from './ui.js';
import { by, byField } from './who.js';
import { branchWords, chanceWords, ENDINGS, RESULTS, RULES, SEVERITIES } from './words.js';

const RANK = { info: 1, warning: 2, critical: 3 };
const SHOWN = 100;
const FIRING = 5000;
const RESOLVED = 1000;
const DOMAINS = 24;
const HISTORY_DAYS = 90;
const LONGEST_HISTORY_DAYS = 400;

// ---- the list ----------------------------------------------------------------------------------------------------

const STATES = [['firing', 'Firing'], ['resolved', 'Resolved'], ['all', 'All']];
const FILTERS = { severity: 'Severity', rule: 'Rule', label: 'Label', domain: 'Domain' };
const NO_FILTER = { severity: '', rule: '', label: '', domain: '' };

export const list = {
  title: () => 'Alerts',
  refresh: 60,

  view(context) {
    const filter = filters(context.query);
    const { rows: found, complete, error, loading } = asked(context, filter);
    const rows = found?.filter(alert => fits(alert, filter)).sort((a, b) => rank(b) - rank(a));
    return html`
      <div class="page-head"><div>
        <h1 tabindex="-1">Alerts</h1>
        <p class="subtitle">${summary(rows, filter, complete)}</p>
      </div>${ui.csv(url('/api/v1/alerts', { format: 'csv', ...(filter.state === 'all' ? {} : { state: filter.state }), domain: filter.domain, label: filter.label }))}</div>
      ${toolbar(context, filter, found ?? [])}
      ${ui.chips(Object.keys(FILTERS).filter(name => filter[name]).map(name => ui.chip(FILTERS[name],
        name === 'rule' ? RULES[filter.rule] ?? filter.rule : filter[name], context.href({ [name]: '' }))), context.href(NO_FILTER))}
      ${error ? ui.failure(error, () => context.refresh()) : nothing}
      ${rows === undefined ? (error ? nothing : ui.loading(9)) : listed(context, rows, filter, complete, loading)}`;
  },
};

function filters(query) {
  const state = query.get('state');
  return {
    state: STATES.some(([word]) => word === state) ? state : 'firing',
    domain: query.get('domain') ?? '',
    label: query.get('label') ?? '',
    severity: query.get('severity') ?? '',
    rule: query.get('rule') ?? '',
  };
}

/** Firing ones all, resolved ones from the newest on: they are kept as long as reports are. */
function asked(context, { state, domain, label }) {
  const uses = [];
  if (state !== 'resolved') uses.push(context.useAll('firing', '/api/v1/alerts', { state: 'firing', domain, label }, FIRING));
  if (state !== 'firing') {
    uses.push(context.useAll('resolved', '/api/v1/alerts', { state: 'resolved', domain, label }, context.state.resolved ?? RESOLVED));
  }
  return {
    rows: uses.every(use => use.data) ? uses.flatMap(use => use.data.rows) : undefined,
    complete: uses.every(use => use.data?.complete !== false),
    error: uses.find(use => use.error)?.error,
    loading: uses.some(use => use.loading),
  };
}

function fits(alert, { severity, rule }) {
  return (!severity || alert.severity === severity) && (!rule || alert.rule === rule);
}

/** Firing ones by severity, the rest as it came: the newest change first. */
function rank(alert) {
  return alert.state === 'firing' ? RANK[alert.severity] ?? 0 : -1;
}

function summary(rows, { state }, complete) {
  if (!rows) return 'Looking …';
  const firing = rows.filter(alert => alert.state === 'firing');
  const critical = firing.filter(alert => alert.severity === 'critical').length;
  const taken = firing.filter(alert => alert.acknowledged).length;
  const parts = [];
  if (state !== 'resolved') {
    parts.push(`${ui.number(firing.length)} firing`);
    if (critical) parts.push(`${ui.number(critical)} critical`);
    if (taken) parts.push(`${ui.number(taken)} acknowledged`);
  }
  if (state !== 'firing') parts.push(`${complete ? '' : 'the newest '}${ui.number(rows.length - firing.length)} resolved`);
  return parts.join(' · ');
}

function toolbar(context, filter, found) {
  const rules = [...new Set([...found.map(alert => alert.rule), ...(filter.rule ? [filter.rule] : [])])].sort();
  const labels = [...new Set([
    ...found.flatMap(alert => Object.entries(alert.labels ?? {}).map(([key, value]) => `${key}:${value}`)),
    ...(filter.label ? [filter.label] : []),
  ])].sort().slice(0, 200);
  const choice = (name, values, words = value => value) => ui.select({
    label: FILTERS[name],
    value: filter[name],
    options: [['', 'all'], ...values.map(value => [value, words(value).slice(0, 80)])],
    onChange: value => context.set({ [name]: value }),
  });
  const byDomain = event => {
    event.preventDefault();
    context.set({ domain: new FormData(event.target).get('domain').trim().toLowerCase() });
  };
  return html`<div class="toolbar filters">
    ${ui.segmented('State', STATES.map(([word, words]) => ({ words, on: word === filter.state, href: context.href({ state: word === 'firing' ? '' : word }) })))}
    ${choice('severity', SEVERITIES)}
    ${choice('rule', rules, rule => RULES[rule] ?? rule)}
    ${labels.length ? choice('label', labels) : nothing}
    <form class="row" role="search" aria-label="Alerts of a domain" @submit=${byDomain}>
      <label class="field"><span class="field-name">Domain</span><input type="search" name="domain" .value=${filter.domain} placeholder="all"
        autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="253"></label>
      <button class="button">Filter</button>
    </form>
  </div>`;
}

function listed(context, rows, filter, complete, loading) {
  if (rows.length === 0) {
    if (Object.keys(FILTERS).some(name => filter[name])) {
      return ui.empty('No alert fits these filters', html`<a href=${context.href(NO_FILTER)}>Clear the filters</a>, or look at ${filter.state === 'firing'
        ? html`<a href=${context.href({ state: 'all' })}>resolved ones as well</a>` : html`<a href=${context.href({ state: '' })}>those that fire</a>`}.`);
    }
    return filter.state === 'firing'
      ? ui.empty('All is well', html`No alert fires. <a href=${context.href({ state: 'resolved' })}>See what was</a>.`, 'ok')
      : ui.empty('There is none', 'No alert has been resolved yet.');
  }
  const part = ui.cut(context, 'shown', rows, SHOWN);
  const older = () => {
    context.state.resolved = (context.state.resolved ?? RESOLVED) * 4;
    context.update();
  };
  return html`
    <ul class="alert-list" aria-label="Alerts">${part.rows.map(row)}</ul>
    ${part.more !== nothing ? part.more : complete ? nothing : html`<p class="more"><button type="button" class="button" ?disabled=${loading}
      @click=${older}>${loading ? 'Looking …' : 'Look further back'}</button></p>`}
    ${!complete && (filter.severity || filter.rule) ? html`<p class="note">Severity and rule are looked for among the resolved ones that are loaded.</p>` : nothing}`;
}

/** What and where, in a line. */
function heading(alert) {
  const what = ui.short(alert['result-type'] ?? RULES[alert.rule] ?? alert.rule, 80);
  const { 'receiving-mx-hostname': mx, 'policy-domain': domain, submitter } = alert;
  const at = (word, name) => html` <span class="at">${word}</span> ${ui.short(name)}`;
  if (mx) return html`${what}${at('at', mx)}`;
  return html`${what}${submitter ? at('–', submitter) : nothing}${domain ? at(submitter ? 'about' : '–', domain) : nothing}`;
}

function row(alert) {
  const firing = alert.state === 'firing';
  const when = firing ? alert['opened-at'] : alert['resolved-at'] ?? alert['updated-at'];
  const affected = alert.evidence['affected-domain-count'];
  const about = [
    alert.acknowledged ? html`${ui.badge('none', 'acknowledged', { picture: 'person' })} <span>by ${ui.short(alert.acknowledged.by, 40)}</span>` : nothing,
    alert.reopened ? ui.badge('none', 'came back', { picture: 'wait' }) : nothing,
    affected > 1 ? html`<span>${ui.count(affected, 'domain')}</span>`
      : alert['policy-domain'] && alert['receiving-mx-hostname'] ? html`<span>${ui.short(alert['policy-domain'], 80)}</span>` : nothing,
    firing ? nothing : html`<span>${ui.short((ENDINGS[alert['resolve-reason']] ?? alert['resolve-reason'] ?? '').split(/[:;]/)[0], 60)}</span>`,
    tags(alert.labels),
  ];
  return html`<li class="alert-row" data-severity=${firing ? alert.severity : 'resolved'}>
    <span class="alert-row-mark">${firing ? ui.severity(alert.severity) : ui.badge('ok', 'resolved')}</span>
    <a class="alert-row-link" href=${`/alerts/${segment(alert['alert-id'])}`}>${heading(alert)}</a>
    <p class="alert-row-time">${firing ? 'since' : 'ended'} ${ui.time(when)} <span class="note">${ui.ago(when)}</span></p>
    <p class="alert-row-words">${ui.short(alert.summary, 240)}</p>
    <p class="alert-row-about row">${about}</p>
  </li>`;
}

function tags(labels) {
  const pairs = Object.entries(labels ?? {}).slice(0, 8);
  return pairs.length === 0 ? nothing : html`<span class="tags">${pairs.map(([key, value]) => html`<a class="tag"
    href=${url('/alerts', { label: `${key}:${value}` })}>${ui.short(`${key}: ${value}`, 60)}</a>`)}</span>`;
}

// ---- one alert ---------------------------------------------------------------------------------------------------

export const one = {
  title: () => 'Alert',
  refresh: 60,

  view(context) {
    const use = context.use('alert', `/api/v1/alerts/${segment(context.params.id)}`);
    const help = context.use('help', '/api/v1/help', {}, { once: true }).data?.rows;
    return html`
      ${head(context, use.data?.alert)}
      ${ui.of(context, use, ({ alert, notifications }) => html`
        ${actions(context, alert)}
        <div class="alert-grid">
          <div class="stack">
            ${todo(alert, help?.find(entry => alert['result-type'] ? entry['result-type'] === alert['result-type'] : entry.rule === alert.rule))}
            ${decision(context, alert)}
            ${live(alert.evidence.live)}
            ${domains(context, alert)}
          </div>
          <div class="stack">
            ${people(alert)}
            ${told(notifications, alert)}
            ${history(context, alert)}
            ${names(alert)}
          </div>
        </div>`, {
        lines: 12,
        missing: () => ui.empty('There is no such alert', 'A resolved one is kept as long as reports are; the link may be older than that, or the address mistyped.'),
      })}`;
  },
};

/** The heading stands from the beginning, so that focus stays where it is when the rest comes. */
function head(context, alert) {
  const firing = alert?.state === 'firing';
  return html`<header class="alert-head" data-severity=${alert ? (firing ? alert.severity : 'resolved') : nothing}>
    ${ui.crumbs(['/alerts', 'Alerts'], [undefined, context.params.id.slice(0, 12)])}
    <h1 tabindex="-1">${alert ? heading(alert) : 'Alert'}</h1>
    ${alert ? html`<p class="row">${ui.severity(alert.severity)} ${ui.alertState(alert.state)}
        ${alert.acknowledged ? html`${ui.badge('none', 'acknowledged', { picture: 'person' })} <span class="note">by ${ui.short(alert.acknowledged.by, 60)}, ${ui.ago(alert.acknowledged.at)}</span>` : nothing}
        ${alert.reopened ? ui.badge('none', 'came back', { picture: 'wait' }) : nothing} ${tags(alert.labels)}</p>
      <p class="alert-summary">${ui.text(alert.summary, { most: 600 })}</p>
      <p class="note">${firing
        ? html`Firing since ${ui.time(alert['opened-at'])} (${ui.ago(alert['opened-at'])}).`
        : html`Resolved ${ui.time(alert['resolved-at'] ?? alert['updated-at'])}: ${ENDINGS[alert['resolve-reason']] ?? ui.short(alert['resolve-reason'])}.
          It had opened ${ui.time(alert['opened-at'])}.`} Last change ${ui.time(alert['updated-at'])}.</p>` : nothing}
  </header>`;
}

// ---- what to do

function todo(alert, help) {
  const words = alert.help ?? help;
  if (!words) return nothing;
  return ui.section('What to do', html`
    <p>${ui.text(words.meaning, { most: 2000 })}</p>
    ${urgency(alert, help)}
    <div><h3>Fix</h3><p>${ui.text(words.fix, { most: 4000 })}</p></div>
    <div><h3>Verify</h3><p class="note">Paste this into a shell${/<(mx|domain)>/.test(words.verify)
      ? ', with the name in place of the brackets' : ''}; it shows whether it is mended.</p></div>
    ${ui.code(words.verify, { label: 'Copy' })}`, {
    aside: help ? html`<a href=${`/runbook#${segment(alert['result-type'] ?? alert.rule)}`}>Runbook</a>` : nothing,
  });
}

const MODES = { enforce: 'Mode enforce', testing: 'Mode testing', none: 'Mode none' };

/** How soon somebody must act; under MTA-STS the mode decides, which an alert does not know. */
function urgency(alert, help) {
  if (!help) return nothing;
  const type = alert['policy-type'];
  if (type === 'tlsa' || type === 'no-policy-found') return html`<p><b>How urgent:</b> ${help.urgency[type]}</p>`;
  const modes = Object.keys(MODES);
  const words = modes.map(mode => help.urgency[mode]);
  if (words.every(one => one === words[0])) return html`<p><b>How urgent:</b> ${words[0]}</p>`;
  return html`<div><h3>How urgent</h3><dl class="pairs">${modes.map((mode, i) => html`<dt>${MODES[mode]}</dt><dd>${words[i]}</dd>`)}</dl></div>`;
}

// ---- the numbers

function decision(context, alert) {
  const evidence = alert.evidence;
  const counted = evidence['session-count'] > 0 || evidence['failed-session-count'] > 0;
  const branch = branchWords(alert.rule, evidence.branch);
  const chance = chanceWords(evidence.probability);
  const silent = alert.rule.endsWith('-silent') || alert.rule === 'intake-broken';
  return ui.section(alert.state === 'firing' ? 'Why it fires' : 'Why it fired', html`
    ${counted ? shares(evidence, alert.rule !== 'reporter-fault') : nothing}
    <dl class="pairs">
      <dt>Rule</dt><dd>${RULES[alert.rule] ?? nothing} <code>${ui.short(alert.rule)}</code></dd>
      ${evidence.branch ? html`<dt>Branch</dt><dd><code>${ui.short(evidence.branch)}</code>${branch ? html` ${branch}` : nothing}</dd>` : nothing}
      <dt>${silent ? 'Missing since' : counted ? 'Day judged' : 'Day'}</dt><dd>${ui.short(evidence.window)}</dd>
      ${counted ? html`<dt>Failed</dt><dd>${ui.number(evidence['failed-session-count'])} of ${ui.count(evidence['session-count'], 'session')}
        (${ui.percent(evidence['failed-session-count'], evidence['session-count'])})</dd>` : nothing}
      ${counted && alert.rule !== 'reporter-fault' ? html`<dt>Usual</dt><dd>${evidence['baseline-sessions'] > 0
        ? html`${ui.number(evidence['baseline-failed'])} of ${ui.count(evidence['baseline-sessions'], 'session')}
          (${ui.percent(evidence['baseline-failed'], evidence['baseline-sessions'])}) in the 28 days before, by trusted reports`
        : 'nothing is known of the 28 days before'}</dd>` : nothing}
      ${chance ? html`<dt>Chance</dt><dd><b>${chance}</b>: ${silent
        ? 'that such a gap comes about by itself, given how regularly reports came'
        : 'that so many failures come about if nothing had changed'} <span class="note">(P = ${Number(evidence.probability).toPrecision(2)})</span></dd>` : nothing}
      ${alert['policy-type'] ? html`<dt>Policy type</dt><dd>${ui.short(alert['policy-type'])} <span class="note">each type is judged by itself</span></dd>` : nothing}
      ${several('Reporters', evidence.submitters, submitter => html`<a href=${`/reporters/${segment(submitter)}`}>${ui.short(submitter)}</a>`)}
      ${several(alert.rule === 'rejections' ? 'Reason' : 'Reason codes', evidence['failure-reason-codes'], code => html`<code>${ui.text(code, { most: 160 })}</code>`)}
      ${several('Receiving addresses', evidence['receiving-ips'], ip => html`<code>${ui.text(ip, { most: 80 })}</code>`)}
    </dl>
    ${explain(context, alert)}`);
}

function several(words, values, show) {
  return values?.length
    ? html`<dt>${words}</dt><dd><ul>${values.slice(0, 50).map(value => html`<li>${show(value)}</li>`)}</ul>${values.length > 50
      ? html`<p class="note">and ${ui.number(values.length - 50)} more</p>` : nothing}</dd>` : nothing;
}

/** Both shares on one scale, so that the step is seen before it is read. */
function shares(evidence, baseline) {
  const line = (words, part, whole, kind) => html`<span>${words}</span>${ui.bar(Math.min(part, whole), whole, kind)}<b class="num">${ui.percent(part, whole)}</b>`;
  return html`<div class="shares" aria-hidden="true">
    ${line('Now', evidence['failed-session-count'], evidence['session-count'], 'critical')}
    ${baseline && evidence['baseline-sessions'] > 0 ? line('Usual', evidence['baseline-failed'], evidence['baseline-sessions'], 'accent') : nothing}</div>`;
}

const EXPLAINED = ['certificate', 'starttls-regression', 'dane', 'sts-policy'];

/** Every condition that was asked, as detection writes them down; only rules about reports have any. */
function explain(context, alert) {
  const domain = alert['policy-domain'] ?? alert.evidence['affected-domains']?.[0];
  const limited = Object.keys(context.session?.labels ?? {}).length > 0; // it asks about all domains
  if (!EXPLAINED.includes(alert.rule) || !domain || limited) return nothing;
  const open = event => {
    context.state.explain = event.target.open;
    context.update();
  };
  return html`<details @toggle=${open}><summary>Every condition that was asked, with its numbers</summary>
    ${context.state.explain ? explained(context, alert, domain) : nothing}</details>`;
}

function explained(context, alert, domain) {
  const use = context.use('explain', '/api/v1/explain', { domain, mx: alert['receiving-mx-hostname'] ?? domain, day: alert.evidence.window }, { once: true });
  return html`<div class="stack explain">${ui.of(context, use, data => {
    const results = data.mxs.flatMap(one => one.results)
      .filter(result => result.rule === alert.rule && result['result-type'] === alert['result-type']);
    const windows = results.flatMap(result => result.windows);
    return html`<p class="note">Detection ran again just now over the reports as they stand, with the present settings. What people did and live looks
        have no part in it. <i>k</i> failed sessions of <i>n</i>, their share <i>s</i>, usual share <i>p</i>, chance <i>P</i>, least share that is sure <i>W</i>,
        reporters <i>r</i>.</p>
      ${[...data.notes, ...results.flatMap(result => result.notes)].map(note => html`<p>${ui.text(note, { most: 400 })}</p>`)}
      ${windows.length === 0 ? html`<p>These reports alone show nothing any more.</p>` : html`<div class="grid">${windows.map(checks)}</div>`}`;
  }, { lines: 6 })}</div>`;
}

function checks(look) {
  const what = [look['policy-type'], look.days === 1 ? `the day ${look.window}` : `${look.days} days to ${look.window}`,
    look.trusted ? 'trusted reports' : 'all reports'].filter(part => part).join(', ');
  return html`<section><h3>${ui.short(what, 200)}</h3><p>${look.severity ? ui.severity(look.severity) : ui.badge('none', 'no alert')}</p>
    <ul class="checks">${look.checks.map(check => html`<li data-held=${check.held}>${ui.icon(check.held ? 'check' : 'close')}
      <span><b>${ui.short(check.name)}</b> ${ui.text(check.text, { most: 300 })}<span class="sr">: ${check.held ? 'held' : 'did not hold'}</span></span></li>`)}</ul></section>`;
}

const LOOKS = { true: ['critical', 'shows the fault'], false: ['ok', 'shows no fault'], undefined: ['unknown', 'cannot tell'] };
const VERDICTS = { ok: 'ok', note: 'info', warning: 'warning', error: 'critical', unknown: 'unknown' };

function live(look) {
  if (!look) return nothing;
  return ui.section('Live look', html`
    <p>${ui.badge(...LOOKS[look.confirms])} ${ui.text(look.summary, { most: 1000 })}</p>
    ${look.findings?.length ? html`<ul class="items">${look.findings.slice(0, 50).map(finding => html`<li>
      <p class="row">${ui.badge(VERDICTS[finding.verdict] ?? 'none', finding.verdict)} <b>${ui.text(finding.subject)}</b></p>
      <p>${ui.text(finding.found, { most: 600 })}${finding.reference ? html` <span class="note">${ui.short(finding.reference)}</span>` : nothing}</p>
      ${finding.fix ? html`<p class="note">${ui.text(finding.fix, { most: 600 })}</p>` : nothing}</li>`)}</ul>` : nothing}`, {
    note: html`What the servers presented ${ui.ago(look['inspected-at'])}, at ${ui.time(look['inspected-at'])}`,
  });
}

function domains(context, alert) {
  const all = alert.evidence['affected-domains'] ?? [];
  if (all.length === 0 || (all.length === 1 && all[0] === alert['policy-domain'])) return nothing;
  const count = alert.evidence['affected-domain-count'] ?? all.length;
  const part = ui.cut(context, 'domains', all, DOMAINS);
  return ui.section(count === 1 ? 'Affected domain' : `${ui.number(count)} affected domains`, html`
    <ul class="columns">${part.rows.map(domain => html`<li><a href=${narrowed(alert, domain)}>${ui.short(domain)}</a></li>`)}</ul>${part.more}`, {
    note: count > all.length ? `The ${ui.number(all.length)} with most failed sessions are named.` : nothing,
  });
}

/** The page of a domain, about what this alert is about. */
function narrowed(alert, domain) {
  return url(`/domains/${segment(domain)}`, {
    'result-type': alert['result-type'], mx: alert['receiving-mx-hostname'], 'policy-type': alert['policy-type'],
  });
}

// ---- people

function people(alert) {
  const notes = [...alert.notes ?? []].reverse();
  const taken = alert.acknowledged;
  if (!taken && notes.length === 0) return nothing;
  return ui.section('What people said', html`<ol class="items">
    ${taken && !notes.some(note => note.at === taken.at) ? word(taken, true) : nothing}
    ${notes.map(note => word(note, note.at === taken?.at))}</ol>`);
}

function word(said, taken) {
  return html`<li><p class="row"><b>${ui.short(said.by, 60)}</b> ${taken ? ui.badge('none', 'acknowledged', { picture: 'person' }) : nothing}
      <span class="note">${ui.time(said.at)}</span></p>
    ${said.text ? html`<p>${ui.text(said.text, { most: 2000, lines: true })}</p>` : nothing}</li>`;
}

const KINDS = { delivered: 'ok', failed: 'critical', muted: 'none' };

function told(notifications, alert) {
  return ui.section('Who was told', notifications.length === 0
    ? html`<p class="note">Nobody yet. Below critical a receiver is told after some minutes; a silence, quiet hours or another alert that explains this one
      hold it back, and a route may lead it nowhere.</p>`
    : html`<ul class="items">${notifications.map(notification => html`<li>
        <p class="row"><b>${ui.short(notification.receiver, 60)}</b> ${ui.badge(KINDS[notification.result] ?? 'none', RESULTS[notification.result] ?? notification.result)}</p>
        <p>${notification.state === 'firing' ? html`that it fires, ${ui.short(notification.severity)}` : 'that it is resolved'}${notification['incident-id'] === alert['incident-id'] ? nothing
          : html` (incident ${incidentNumber(notification)})`}</p>
        <p class="note">${ui.time(notification.at)}${notification.attempts > 1 ? html`, ${ui.count(notification.attempts, 'attempt')}` : nothing}${notification.detail
          ? html`: ${ui.text(notification.detail, { most: 300 })}` : nothing}</p></li>`)}</ul>`, { note: 'The last word to each receiver' });
}

function incidentNumber(record) {
  return record['incident-id'].split('-').pop();
}

function names(alert) {
  return ui.section('Names', html`<dl class="pairs">
      ${alert['policy-domain'] ? html`<dt>Domain</dt><dd><a href=${narrowed(alert, alert['policy-domain'])}>${ui.short(alert['policy-domain'], 255)}</a></dd>` : nothing}
      ${alert['receiving-mx-hostname'] ? html`<dt>MX</dt><dd>${ui.text(alert['receiving-mx-hostname'])}</dd>` : nothing}
      ${alert.submitter ? html`<dt>Reporter</dt><dd><a href=${`/reporters/${segment(alert.submitter)}`}>${ui.short(alert.submitter, 255)}</a></dd>` : nothing}
      <dt>Incident</dt><dd>${incidentNumber(alert)}, change ${ui.number(alert.transition)}</dd>
      <dt>Alert id</dt><dd><code>${ui.short(alert['alert-id'])}</code></dd>
    </dl>`, { aside: ui.copyButton(alert['alert-id'], 'Copy the id') });
}

// ---- history

function history(context, alert) {
  const days = context.state.longHistory ? LONGEST_HISTORY_DAYS : HISTORY_DAYS;
  // asked for again when the alert has changed, and not before
  const use = context.useAll(`history of ${alert['updated-at']}`, `/api/v1/alerts/${segment(alert['alert-id'])}/history`,
    { from: ui.plusDays(ui.today(), 1 - days) }, 2000, { once: true });
  const older = () => {
    context.state.longHistory = true;
    context.update();
  };
  return ui.section('History', html`
    ${ui.of(context, use, data => {
      const incidents = new Map();
      for (const change of data.rows) {
        if (!incidents.has(change['incident-id'])) incidents.set(change['incident-id'], []);
        incidents.get(change['incident-id']).push(change);
      }
      return incidents.size === 0 ? html`<p class="note">No change in these days.</p>` : [...incidents.values()].reverse().map(incident);
    }, { lines: 6 })}
    ${days < LONGEST_HISTORY_DAYS && use.data ? html`<p class="more"><button type="button" class="button quiet" ?disabled=${use.loading}
      @click=${older}>Look further back</button></p>` : nothing}`, { note: `Incidents of the last ${days} days, the newest first` });
}

function incident(changes) {
  return html`<section><h3>Incident ${incidentNumber(changes[0])}</h3>
    <ol class="timeline">${changes.map((change, i) => html`<li data-severity=${change.state === 'firing' ? change.severity : 'resolved'}>
      <p><b>${changeWords(change, changes[i - 1])}</b></p>
      <p class="note">${ui.time(change['updated-at'])}</p>
      ${i === 0 || change.state === 'resolved' ? html`<p class="note">${ui.text(change.summary, { most: 300 })}</p>` : nothing}</li>`)}</ol></section>`;
}

function changeWords(change, before) {
  if (change.state === 'resolved') return html`resolved: ${ENDINGS[change['resolve-reason']] ?? ui.short(change['resolve-reason'])}`;
  if (!before || before.state === 'resolved') return `${change.reopened ? 'came back' : 'opened'} as ${change.severity}`;
  if (RANK[change.severity] > RANK[before.severity]) return `raised to ${change.severity}`;
  if (RANK[change.severity] < RANK[before.severity]) return `lowered to ${change.severity}`;
  if (change.acknowledged && change.acknowledged.at !== before.acknowledged?.at) return html`acknowledged by ${ui.short(change.acknowledged.by, 60)}`;
  const affected = change.evidence['affected-domain-count'] ?? 0;
  return affected > (before.evidence['affected-domain-count'] ?? 0) ? `spread to ${ui.count(affected, 'domain')}` : 'changed';
}

// ---- actions

const ACTIONS = {
  acknowledge: {
    button: 'Acknowledge',
    heading: 'Acknowledge',
    about: 'Says who has taken the incident on. Its repetitions stop; a rise in severity is still told.',
    text: 'Note (optional)',
    done: 'Acknowledged',
  },
  note: {
    button: 'Add a note',
    heading: 'Add a note',
    about: 'Adds a remark to the incident. The last 20 are kept.',
    text: 'Note',
    required: true,
    done: 'The note is added',
  },
  resolve: {
    button: 'Resolve',
    heading: 'Resolve by hand',
    about: 'Ends the incident. Only failures of later days open it again, so there is no need to: once clean reports come it ends by itself.',
    text: 'Note (optional)',
    done: 'Resolved',
  },
  'false-alarm': {
    button: 'False alarm',
    heading: 'False alarm',
    about: 'Ends the incident, and its bad days count for what is usual. They open it again only when they turn out more severe than it was.',
    text: 'Why (optional)',
    done: 'Called a false alarm',
  },
};

function actions(context, alert) {
  if (!context.session) return html`<div class="actions"></div>`;
  if (!context.mayOperate) return readOnly(context);
  const firing = alert.state === 'firing';
  const done = context.state.done;
  return html`<div class="actions" role="group" aria-label="Actions">
    ${firing ? html`
      <button type="button" class="button primary" @click=${() => act(context, alert, 'acknowledge')}>${alert.acknowledged ? 'Take it over' : 'Acknowledge'}</button>
      <button type="button" class="button" @click=${() => silence(context, { alert })}>Silence …</button>` : nothing}
    <button type="button" class="button" @click=${() => act(context, alert, 'note')}>Add a note</button>
    ${firing ? html`
      <button type="button" class="button" @click=${() => act(context, alert, 'resolve')}>Resolve …</button>
      <button type="button" class="button" @click=${() => act(context, alert, 'false-alarm')}>False alarm …</button>` : nothing}
    ${done && done.before === alert['updated-at'] ? html`<span class="note">${done.words}. It shows in a moment.</span>` : nothing}
  </div>`;
}

function act(context, alert, kind) {
  const action = ACTIONS[kind];
  return ui.ask({
    title: action.heading,
    confirm: action.button,
    danger: kind === 'false-alarm',
    body: () => html`<p><b>${heading(alert)}</b></p><p>${action.about}</p>
      ${byField(context)}
      <label class="field block"><span class="field-name">${action.text}</span><textarea name="text" rows="3" maxlength="2000"
        ?required=${action.required}></textarea></label>`,
    onConfirm: async form => {
      const text = String(form.get('text')).trim();
      await context.act('POST', `/api/v1/alerts/${segment(alert['alert-id'])}/${kind}`,
        { ...by(context, form), ...(text ? { text } : {}), 'incident-id': alert['incident-id'] });
      context.state.done = { words: action.done, before: alert['updated-at'] };
      context.announce(`${action.done}. It shows in a moment.`);
      for (const after of [1000, 3000, 8000]) setTimeout(() => context.signal.aborted || context.refresh(), after);
    },
  });
}
