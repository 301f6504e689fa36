// The live tail. A row stays where the reader looks at it: what comes goes on top, what is older than the newest 500
// goes, and neither moves what is in view.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { guard } from '/lib/lit-html/directives/guard.js';
import { repeat } from '/lib/lit-html/directives/repeat.js';
import { follow, segment, url } from './api.js';
import * as ui from './ui.js';

const MOST_ROWS = 500;
const MOST_JSON = 20_000;
const TOLD_EVERY = 15_000;
const DRAWN_EVERY = 200;

const TOPICS = {
  events: 'Events',
  alerts: 'Alerts',
  aggregates: 'Aggregates',
  verdicts: 'Verdicts',
};

const ABOUT = {
  events: 'Each failure and each policy summary of the reports that are accepted.',
  alerts: 'Each change of an alert.',
  aggregates: 'Each daily cell as a report changes it.',
  verdicts: 'What became of each document that came in.',
};

const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused while the page is hidden',
  refused: 'Refused',
};

export const title = () => 'Live';

export function view(context) {
  const topic = Object.hasOwn(TOPICS, context.query.get('topic') ?? '') ? context.query.get('topic') : 'events';
  const domain = context.query.get('domain') ?? '';
  const state = context.state;
  listen(context, topic, topic === 'verdicts' ? '' : domain);
  keepInView();
  return html`
    <div class="page-head">
      <div>
        <h1 tabindex="-1">Live</h1>
        <p class="subtitle">${ABOUT[topic]}</p>
      </div>
      <p class="live-state" data-state=${state.paused ? 'held' : state.connection}>
        <span class="live-dot"></span>${state.paused ? 'Held by you' : STATES[state.connection]}</p>
    </div>
    <div class="toolbar filters">${controls(context, topic, domain)}</div>
    ${state.paused && state.held.length > 0 ? html`<p class="live-held">
      <button type="button" class="button" @click=${() => hold(context, false)}>Show ${ui.number(state.held.length)}
        held back</button>
      ${state.heldLost > 0 ? html`<span class="note">${ui.number(state.heldLost)} older ones were let go.</span>` : nothing}</p>` : nothing}
    <ol class="live" aria-label=${`${TOPICS[topic]}, newest first`} aria-live="off">
      ${repeat(state.rows, row => row.key, row => guard([row.key, row.open], () => line(context, topic, row)))}
    </ol>
    ${state.problem ? ui.failure(state.problem) : state.rows.length === 0 ? ui.empty(
      'Nothing has come yet',
      'Records show here the moment they are written. Reports come once a day from most senders: leave this page open, '
        + 'or hand one in.',
    ) : html`<p class="note live-foot">${ui.number(state.rows.length)} shown${state.dropped > 0
      ? html`; ${ui.number(state.dropped)} older ones were let go, the page keeps ${ui.number(MOST_ROWS)}` : nothing}.</p>`}`;
}

function controls(context, topic, domain) {
  const held = context.state.paused;
  const filter = event => {
    event.preventDefault();
    context.set({ domain: new FormData(event.target).get('domain').trim().toLowerCase() });
  };
  return html`
    ${ui.segmented('Topic', Object.entries(TOPICS).map(([word, words]) => ({ words, on: word === topic, href: context.href({ topic: word === 'events' ? '' : word }) })))}
    <form class="row" role="search" aria-label="Records of a domain" @submit=${filter}>
      <label class="field"><span class="field-name">Domain</span><input type="search" name="domain" .value=${domain}
        placeholder="all" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="253"
        ?disabled=${topic === 'verdicts'} title=${topic === 'verdicts' ? 'A verdict is about a document, not about a domain' : nothing}></label>
      <button class="button" ?disabled=${topic === 'verdicts'}>Filter</button>
    </form>
    <span class="grow"></span>
    <button type="button" class="button" aria-pressed=${held ? 'true' : 'false'} @click=${() => hold(context, !held)}>
      ${held ? 'Go on' : 'Pause'}</button>
    <button type="button" class="button quiet" @click=${() => clear(context)} ?disabled=${context.state.rows.length === 0}>Clear</button>`;
}

function listen(context, topic, domain) {
  const state = context.state;
  const what = `${topic} ${domain}`;
  if (state.what === what) return;
  state.what = what;
  state.ending?.abort();
  state.ending = new AbortController();
  Object.assign(state, { rows: [], held: [], heldLost: 0, dropped: 0, told: 0, seen: 0, connection: 'connecting', paused: false });
  const signal = AbortSignal.any([state.ending.signal, context.signal]);
  follow(topic, {
    domain,
    signal,
    onState: (connection, problem) => {
      if (signal.aborted) return;
      state.connection = connection;
      state.problem = problem;
      context.update();
    },
    onRecord: record => {
      if (!signal.aborted) take(context, record);
    },
  });
  if (!state.telling) {
    state.telling = setInterval(() => tell(context), TOLD_EVERY);
    context.signal.addEventListener('abort', () => {
      clearInterval(state.telling);
      clearTimeout(state.drawing);
    }, { once: true });
  }
}

function take(context, record) {
  const state = context.state;
  const row = { key: ++state.seen, at: new Date().toISOString(), record };
  if (state.paused) {
    state.held.unshift(row);
    if (state.held.length > MOST_ROWS) {
      state.held.length = MOST_ROWS;
      state.heldLost++;
    }
  } else {
    state.rows.unshift(row);
    trim(state);
  }
  // many may come at once, when a report of thousands of failures is accepted
  state.drawing ??= setTimeout(() => {
    state.drawing = undefined;
    context.update();
  }, DRAWN_EVERY);
}

function trim(state) {
  if (state.rows.length > MOST_ROWS) {
    state.dropped += state.rows.length - MOST_ROWS;
    state.rows.length = MOST_ROWS;
  }
}

function hold(context, held) {
  const state = context.state;
  state.paused = held;
  if (!held) {
    state.rows = [...state.held, ...state.rows];
    state.dropped += state.heldLost;
    state.held = [];
    state.heldLost = 0;
    trim(state);
  }
  context.announce(held ? 'paused' : 'live again');
  context.update();
}

function clear(context) {
  context.state.rows = [];
  context.state.dropped = 0;
  context.announce('cleared');
  context.update();
}

/** Says now and then how many came, never each of them. */
function tell(context) {
  const state = context.state;
  const more = state.seen - state.told;
  state.told = state.seen;
  if (more > 0 && !state.paused && !document.hidden) {
    context.announce(`${more} new ${more === 1 ? 'record' : 'records'}`);
  }
}

/** What the reader looks at stays where it is, whatever is put above it. */
function keepInView() {
  const list = document.querySelector('ol.live');
  if (!list || list.getBoundingClientRect().top >= 0) return;
  const top = 120;
  const seen = [...list.children].find(row => row.getBoundingClientRect().bottom > top);
  if (!seen) return;
  const before = seen.getBoundingClientRect().top;
  queueMicrotask(() => {
    const moved = seen.isConnected ? seen.getBoundingClientRect().top - before : 0;
    if (moved !== 0) scrollBy({ top: moved, behavior: 'instant' });
  });
}

function line(context, topic, row) {
  const open = event => {
    row.open = event.target.open;
    context.update();
  };
  return html`<li class="live-row">
    <details ?open=${row.open === true} @toggle=${open}>
      <summary><span class="live-time">${ui.time(row.at, { seconds: true })}</span><span class="live-words">${words(topic, row.record)}</span></summary>
      ${row.open ? json(context, topic, row.record) : nothing}
    </details></li>`;
}

function json(context, topic, record) {
  const text = JSON.stringify(record, null, 2);
  return html`<div class="live-more">
    <p class="row">${links(topic, record)}</p>
    ${ui.code(text.length > MOST_JSON ? `${text.slice(0, MOST_JSON)}…` : text)}</div>`;
}

function links(topic, record) {
  if (topic === 'alerts') return html`<a href=${`/alerts/${segment(record['alert-id'])}`}>Open the alert</a>`;
  const domain = record['policy-domain'];
  const key = topic === 'verdicts' ? record['report-key'] : topic === 'events' ? reportKey(record) : undefined;
  return html`${domain ? html`<a href=${`/domains/${segment(domain)}`}>Open the domain</a>` : nothing}
    ${key && record.verdict !== 'rejected' ? html`<a href=${url('/reports/view', { key })}>Open the report</a>` : nothing}
    ${record.verdict === 'rejected' ? html`<a href=${url('/rejected', { reason: record.reason })}>What was refused</a>` : nothing}`;
}

/** An event-id is the report-key, `#` and the place within it; no part of a report-key holds a `#`. */
function reportKey(event) {
  return event['event-id']?.split('#')[0];
}

function words(topic, record) {
  switch (topic) {
    case 'alerts':
      return html`${ui.severity(record.severity)} ${ui.alertState(record.state)}
        ${ui.short(record.summary, 300)}`;
    case 'aggregates':
      return html`<b>${ui.short(record['policy-domain'])}</b> ${ui.short(record.window)} ${policy(record)}
        ${totals(record)} in ${ui.number(record['report-count'])} ${record['report-count'] === 1 ? 'report' : 'reports'}
        by ${ui.short(record.submitter, 100)} ${trust(record)}`;
    case 'verdicts':
      return html`${ui.badge(VERDICTS[record.verdict] ?? 'none', record.verdict)}
        ${record.reason ? html`<b>${ui.short(record.reason)}</b> ` : nothing}${ui.short(record['report-key'] ?? 'no report-key', 200)}`;
    default:
      return event(record);
  }
}

const VERDICTS = { accepted: 'ok', duplicate: 'none', replaced: 'info', conflict: 'warning', rejected: 'critical' };

function event(record) {
  const taken = record.retraction ? html`${ui.badge('warning', 'taken back', { picture: 'back' })} ` : nothing;
  if (record.kind === 'summary') {
    return html`${taken}<b>${ui.short(record['policy-domain'])}</b> ${policy(record)} ${totals(record)}
      by ${ui.short(record.submitter, 100)} ${trust(record)}`;
  }
  return html`${taken}<b>${ui.short(record['policy-domain'])}</b> ${policy(record)}
    <span class="bad">${ui.number(record['failed-session-count'])} × ${ui.short(record['result-type'], 100)}</span>
    ${record['receiving-mx-hostname'] ? html`at ${ui.short(record['receiving-mx-hostname'], 100)}` : nothing}
    ${record['sending-mta-ip'] ? html`from ${ui.short(record['sending-mta-ip'], 60)}` : nothing}
    by ${ui.short(record.submitter, 100)} ${trust(record)}`;
}

function policy(record) {
  return html`<span class="note">${ui.short(record['policy-type'], 40)}${record['policy-mode']
    ? html` ${ui.short(record['policy-mode'], 40)}` : nothing}</span>`;
}

function totals(record) {
  const failed = record['total-failure-session-count'];
  return html`<span>${ui.number(record['total-successful-session-count'])} ok</span>${failed
    ? html`, <span class="bad">${ui.number(failed)} failed</span>` : nothing}`;
}

function trust(record) {
  return record.authentication === 'none' ? ui.trust('none') : nothing;
}
