// What nobody is told of for a while: the list, and the dialog that makes one and shows first what it would mute.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { keyed } from '/lib/lit-html/directives/keyed.js';
import { segment, send } from './api.js';
import * as ui from './ui.js';
import { by, byField } from './who.js';
import { RULES, SEVERITIES } from './words.js';

const KINDS = {
  'alert-ids': ['Alerts', 'alert ids'],
  domains: ['Domains', 'example.com or *.example.com'],
  'receiving-mx-hostnames': ['MX hosts', 'mx1.example.com'],
  submitters: ['Reporters', 'google.com'],
  labels: ['Labels', 'team: mail'],
  rules: ['Rules', ''],
  severities: ['Severities', ''],
  classes: ['Failure classes', ''],
};

const CLASSES = ['starttls', 'certificate', 'dane', 'sts-policy', 'other'];
const SPANS = [['1h', '1 hour'], ['2h', '2 hours'], ['4h', '4 hours'], ['8h', '8 hours'], ['24h', '1 day'], ['3d', '3 days'],
  ['7d', '7 days'], ['30d', '30 days'], ['until', 'until …']];
const MATCHES = 12;

export const title = () => 'Silences';
export const refresh = 60;

export function view(context) {
  const use = context.use('silences', '/api/v1/silences');
  return html`
    <div class="page-head"><div>
        <h1 tabindex="-1">Silences</h1>
        <p class="subtitle">A silence mutes the notifications of what it matches; the alerts themselves go on.</p>
      </div>
      ${context.mayOperate ? html`<button type="button" class="button primary" @click=${() => silence(context, {})}>New silence</button>` : nothing}
    </div>
    ${readOnly(context)}
    ${ui.of(context, use, data => groups(context, data.rows), { lines: 6 })}`;
}

/** Why there is nothing to press. */
export function readOnly(context) {
  return context.session && !context.mayOperate
    ? html`<p class="hint note">${ui.icon('info')}<span>Your role is <b>read</b>: you may look, and not act. To acknowledge, resolve or silence you need a
      token with the role operate.</span></p>` : nothing;
}

function groups(context, rows) {
  if (rows.length === 0) {
    return ui.empty('Nothing is silenced', 'Everybody hears of what concerns them. Expired silences are listed for five days.', 'ok');
  }
  return [['active', 'Active'], ['pending', 'Later'], ['expired', 'Expired in the last five days']].map(([state, words]) => {
    const those = rows.filter(row => row.state === state);
    return those.length === 0 ? nothing
      : ui.section(words, html`<ul class="silences">${those.map(row => one(context, row))}</ul>`, { note: ui.count(those.length, 'silence') });
  });
}

function one(context, row) {
  const end = () => ui.ask({
    title: 'End this silence?',
    body: () => html`<p>What still fires is told at once.</p>${matchers(row.match)}`,
    confirm: 'End it',
    danger: true,
    onConfirm: async () => {
      await context.act('DELETE', `/api/v1/silences/${segment(row['silence-id'])}`);
      context.announce('The silence has ended');
      again(context);
    },
  });
  return html`<li class="silence" data-state=${row.state}>
    <div class="silence-main">
      <p><b>${ui.text(row.comment, { most: 400, lines: true })}</b></p>
      ${matchers(row.match)}
      <p class="note">${row.state === 'expired' ? html`Ended ${ui.time(row['ends-at'])} (${ui.ago(row['ends-at'])})`
        : row.state === 'pending' ? html`From ${ui.time(row['starts-at'])} (${ui.ago(row['starts-at'])}) to ${ui.time(row['ends-at'])}`
          : html`Ends ${ui.ago(row['ends-at'])}: ${ui.time(row['ends-at'])}`}. By <b>${ui.short(row.by, 60)}</b>, ${ui.time(row['created-at'])}.</p>
    </div>
    ${context.mayOperate && row.state !== 'expired' ? html`<button type="button" class="button" @click=${end}>End${row.state === 'pending' ? '' : ' now'}<span
      class="sr"> the silence: ${ui.visible(row.comment).slice(0, 80)}</span></button>` : nothing}
  </li>`;
}

function matchers(match) {
  return html`<ul class="matchers" aria-label="Matches what fits all of">${Object.entries(KINDS).filter(([kind]) => match[kind]).map(([kind, [words]]) => {
    const values = kind === 'labels' ? Object.entries(match.labels).map(([key, value]) => `${key}: ${value}`) : match[kind];
    return html`<li><span class="matcher-kind">${words}</span> ${values.map((value, i) => html`${i ? html` <span class="note">or</span> ` : nothing}${kind === 'alert-ids'
      ? html`<a href=${`/alerts/${segment(value)}`}><code>${ui.visible(value).slice(0, 10)}…</code></a>`
      : html`<span class="matcher">${ui.text(kind === 'rules' ? RULES[value] ?? value : value, { most: 80 })}</span>`}`)}</li>`;
  })}</ul>`;
}

/** The view follows the broker a moment later. */
function again(context) {
  for (const after of [700, 2500]) setTimeout(() => context.signal.aborted || context.refresh(), after);
}

// ---- the dialog

/** What people usually want to mute about an alert; the first one is chosen. */
function presets(alert) {
  const mx = alert['receiving-mx-hostname'];
  const domain = alert['policy-domain'];
  const rules = [alert.rule];
  return [
    mx && ['This rule at this MX', { rules, 'receiving-mx-hostnames': [mx] }],
    !mx && domain && ['This rule for this domain', { rules, domains: [domain] }],
    !mx && !domain && alert.submitter && ['This rule for this reporter', { rules, submitters: [alert.submitter] }],
    ['This alert alone', { 'alert-ids': [alert['alert-id']] }],
    mx && ['Everything at this MX', { 'receiving-mx-hostnames': [mx] }],
    domain && ['Everything about this domain', { domains: [domain] }],
    !mx && !domain && !alert.submitter && ['This rule', { rules }],
  ].filter(preset => preset);
}

/**
 * Asks what to mute, for how long and why, and shows what of it fires now.
 *
 * @param alert prefills it; absent: everything is asked
 */
export function silence(context, { alert }) {
  const choices = alert ? presets(alert) : [];
  const first = choices[0]?.[1] ?? {};
  // the fields are filled from what was chosen, and then are whoever's who types in them
  const now = { match: first, given: first, choice: 0, chosen: 0, open: !alert, span: '2h', preview: undefined, problem: undefined };
  let timer;
  let asked = 0;

  const preview = async draw => {
    const mine = ++asked;
    await undefined; // never while the dialog is being drawn
    if (Object.keys(now.match).length === 0) {
      now.preview = now.problem = undefined;
      draw();
      return;
    }
    try {
      const answer = await send('POST', '/api/v1/silences?preview=true', { match: now.match, duration: '1h' });
      if (mine !== asked) return;
      now.preview = answer;
      now.problem = undefined;
    } catch (failed) {
      if (mine !== asked) return;
      now.preview = undefined;
      now.problem = failed;
    }
    draw();
  };
  const soon = draw => {
    clearTimeout(timer);
    timer = setTimeout(() => preview(draw), 300);
  };
  let begun = false;

  return ui.ask({
    title: 'Silence',
    confirm: 'Silence it',
    body: draw => {
      if (!begun) {
        begun = true;
        preview(draw);
      }
      const choose = i => () => {
        now.chosen = i;
        now.match = now.given = choices[i][1];
        now.choice++;
        draw();
        preview(draw);
      };
      const edit = event => {
        now.match = matchOf(new FormData(event.currentTarget.closest('form')));
        now.chosen = -1;
        draw();
        soon(draw);
      };
      return html`
        ${choices.length ? html`<fieldset class="choices"><legend class="field-name">What</legend>
          ${choices.map(([words], i) => html`<label><input type="radio" name="preset" .checked=${now.chosen === i} @change=${choose(i)}> ${words}</label>`)}
        </fieldset>` : nothing}
        <details class="matcher-fields" ?open=${now.open} @toggle=${event => { now.open = event.target.open; }}>
          <summary>Matchers: all kinds that are given must fit, of one kind any value</summary>
          <div @input=${edit}>${keyed(now.choice, fields(now.given))}</div>
        </details>
        ${previewed(now)}
        <div class="fields">
          <label class="field block"><span class="field-name">For</span><select name="span" @change=${event => { now.span = event.target.value; draw(); }}>
            ${SPANS.map(([value, words]) => html`<option value=${value} ?selected=${value === '2h'}>${words}</option>`)}</select></label>
          ${now.span === 'until' ? html`<label class="field block"><span class="field-name">Until (UTC)</span><input type="datetime-local" name="until" required
            min=${new Date().toISOString().slice(0, 16)} max=${new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 16)}></label>` : nothing}
          ${byField(context)}
        </div>
        <label class="field block"><span class="field-name">Why</span><textarea name="comment" rows="2" maxlength="2000" required
          placeholder="Certificate is being renewed, ticket 4711"></textarea></label>`;
    },
    onConfirm: async form => {
      const span = form.get('span');
      const ends = span === 'until' ? { 'ends-at': new Date(`${form.get('until')}Z`).toISOString() } : { duration: span };
      const made = await context.act('POST', '/api/v1/silences', {
        match: now.match, ...ends, ...by(context, form), comment: String(form.get('comment')).trim(),
      });
      context.announce(`Silenced; it mutes ${ui.count(made['match-count'], 'alert')} that fires now`);
      again(context);
    },
  });
}

function lines(values) {
  return (values ?? []).join('\n');
}

function fields(match) {
  const area = (kind, value) => html`<label class="field block"><span class="field-name">${KINDS[kind][0]}</span><textarea name=${kind}
    rows=${Math.min(Math.max((value.match(/\n/g)?.length ?? 0) + 1, 1), 4)} spellcheck="false" autocapitalize="none" placeholder=${`${KINDS[kind][1]}, one a line`} .value=${value}></textarea></label>`;
  const boxes = (kind, options, names = {}) => html`<fieldset class="boxes"><legend class="field-name">${KINDS[kind][0]}</legend>
    ${options.map(option => html`<label><input type="checkbox" name=${kind} value=${option} .checked=${match[kind]?.includes(option) ?? false}> ${names[option] ?? option}</label>`)}</fieldset>`;
  return html`
    ${area('domains', lines(match.domains))}
    ${area('receiving-mx-hostnames', lines(match['receiving-mx-hostnames']))}
    ${area('submitters', lines(match.submitters))}
    ${area('labels', lines(Object.entries(match.labels ?? {}).map(([key, value]) => `${key}: ${value}`)))}
    ${boxes('severities', SEVERITIES)}
    ${boxes('rules', Object.keys(RULES), RULES)}
    ${boxes('classes', CLASSES)}
    ${area('alert-ids', lines(match['alert-ids']))}`;
}

/** What the fields say; what is empty is not asked for. */
function matchOf(form) {
  const match = {};
  for (const kind of Object.keys(KINDS)) {
    const values = form.getAll(kind).flatMap(value => value.split('\n')).map(value => value.trim()).filter(value => value);
    if (values.length === 0) continue;
    match[kind] = kind === 'labels'
      ? Object.fromEntries(values.map(value => value.split(/:(.*)/s)).map(([key, of = '']) => [key.trim(), of.trim()]))
      : values;
  }
  return match;
}

function previewed(now) {
  if (now.problem) return ui.failure(now.problem);
  if (!now.preview) return html`<div class="preview"><p class="note">${Object.keys(now.match).length ? 'Looking what it matches …' : 'Give at least one matcher; all alerts are never silenced.'}</p></div>`;
  const { 'match-count': count, matches } = now.preview;
  return html`<div class="preview" role="status">
    <p><b>${count === 0 ? 'Nothing that fires now' : `Mutes ${ui.count(count, 'alert')} that ${count === 1 ? 'fires' : 'fire'} now`}</b></p>
    ${matches.length ? html`<ul>${matches.slice(0, MATCHES).map(alert => html`<li>${ui.severity(alert.severity)} ${ui.short(alert.summary, 140)}</li>`)}</ul>` : nothing}
    ${count > MATCHES ? html`<p class="note">and ${ui.number(count - Math.min(MATCHES, matches.length))} more</p>` : nothing}</div>`;
}
