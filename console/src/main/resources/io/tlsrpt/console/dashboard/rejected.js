// What was refused, why, and what to do about it.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { segment, url } from './api.js';
import * as ui from './ui.js';
import { RETRIES, SOURCES } from './words.js';

const STEP = 100;

// ---- the list ----------------------------------------------------------------------------------------------------

export const list = {
  title: () => 'Rejected',

  view(context) {
    const reason = context.query.get('reason') ?? '';
    const submitter = context.query.get('submitter') ?? '';
    const reasons = context.use('reasons', '/api/v1/rejected/reasons', {}, { once: true }).data?.rows ?? [];
    const most = context.state.most ?? STEP;
    const use = context.useAll('rejected', '/api/v1/rejected', { limit: STEP, reason, submitter }, most);
    const help = reasons.find(one => one.reason === reason);
    const bySubmitter = event => {
      event.preventDefault();
      context.set({ submitter: new FormData(event.target).get('submitter').trim() });
    };
    return html`
      <div class="page-head"><div><h1 tabindex="-1">Rejected</h1>
        <p class="subtitle">What was refused is kept 30 days, with the reason. A sender by mail never hears of it.</p></div>
        ${ui.csv(url('/api/v1/rejected', { format: 'csv', reason, submitter }))}</div>
      <div class="toolbar filters">
        ${ui.select({ label: 'Reason', value: reason, options: [['', 'all'], ...words(reasons, reason).map(word => [word, word])], onChange: value => context.set({ reason: value }) })}
        <form class="row" role="search" aria-label="What a reporter sent" @submit=${bySubmitter}>
          <label class="field"><span class="field-name">Reporter</span><input type="search" name="submitter" .value=${submitter} placeholder="all" autocomplete="off"
            autocapitalize="none" spellcheck="false" maxlength="255"></label><button class="button">Filter</button></form>
      </div>
      ${ui.chips([
        ...(reason ? [ui.chip('Reason', reason, context.href({ reason: '' }))] : []),
        ...(submitter ? [ui.chip('Reporter', submitter, context.href({ submitter: '' }))] : []),
      ], '/rejected')}
      ${help ? meaning(help) : nothing}
      ${ui.of(context, use, data => listed(context, data, reason || submitter, most, use.loading), { lines: 9 })}`;
  },
};

function words(reasons, chosen) {
  const all = reasons.map(one => one.reason);
  return chosen && !all.includes(chosen) ? [...all, chosen] : all;
}

function listed(context, { rows, complete }, narrowed, most, loading) {
  if (rows.length === 0 && complete) {
    return narrowed ? ui.empty('Nothing of this was refused', html`<a href="/rejected">Show everything</a>`)
      : ui.empty('Nothing was refused', 'All that came in the last 30 days was read.', 'ok');
  }
  const more = () => {
    context.state.most = most + STEP * 4;
    context.update();
  };
  return html`<section class="card"><div class="card-body">${ui.table({
    caption: 'What was refused, newest first',
    stack: true,
    rows,
    key: row => row.id,
    columns: [
      { key: 'at', label: 'When', cell: row => html`<a href=${url('/rejected/record', { partition: row.partition, offset: row.offset })}>${ui.time(row.at)}</a>` },
      { key: 'reason', label: 'Reason', cell: row => html`<code>${ui.short(row.reason ?? 'unknown', 60)}</code>` },
      { key: 'submitter', label: 'In the name of', cell: row => row.submitter ? html`<a href=${`/reporters/${segment(row.submitter)}`}>${ui.short(row.submitter, 60)}</a>`
        : html`<span class="none">not known</span>` },
      { key: 'detail', label: 'Detail', wide: true, cell: row => ui.short(row.detail, 160) },
      { key: 'source', label: 'Came', cell: row => SOURCES[row.source] ?? ui.short(row.source, 30) },
      { key: 'retry', label: 'Again', hint: 'Whether the same bytes can be accepted another time', cell: row => retry(row.retry) },
    ],
  })}</div></section>
  ${complete ? nothing : html`<p class="more"><button type="button" class="button" ?disabled=${loading} @click=${more}>${loading ? 'Looking …' : 'Show older ones'}</button></p>`}`;
}

const RETRY_KINDS = { 'after-fix': ['info', 'after a fix'], vouch: ['warning', 'if vouched for'], never: ['none', 'never'] };

function retry(word) {
  const [kind, words] = RETRY_KINDS[word] ?? ['unknown', word ?? 'unknown'];
  return html`<span title=${RETRIES[word] ?? nothing}>${ui.badge(kind, words, { plain: true })}</span>`;
}

function meaning(help) {
  return ui.section(html`What <code>${help.reason}</code> means`, html`<p>${ui.prose(help.meaning)}</p>
    <dl class="pairs"><dt>Usually the fault of</dt><dd>${help.usually}</dd><dt>What to do</dt><dd>${ui.prose(help.fix)}</dd>
    <dt>Again</dt><dd>${RETRIES[help.retry] ?? help.retry}</dd></dl>`);
}

// ---- one record --------------------------------------------------------------------------------------------------

export const one = {
  title: () => 'Rejected record',

  view(context) {
    const partition = context.query.get('partition');
    const offset = context.query.get('offset');
    const id = `${partition}-${offset}`;
    const use = context.use('record', '/api/v1/rejected/record', { partition, offset });
    return html`
      <div class="page-head"><div>${ui.crumbs(['/rejected', 'Rejected'], [undefined, id])}
        <h1 tabindex="-1">Rejected ${ui.short(id, 40)}</h1>
        ${use.data ? html`<p class="subtitle"><code>${ui.short(use.data.rejected.reason ?? 'unknown', 60)}</code> ${ui.time(use.data.rejected.at, { seconds: true })}</p>` : nothing}</div></div>
      ${ui.of(context, use, data => record(data, { partition, offset }), {
        lines: 12,
        missing: () => ui.empty('There is no such record', 'What is refused is kept 30 days, and only so much of it; it may have been let go.'),
      })}`;
  },
};

function record({ rejected, help }, place) {
  const command = `./tlsrpt rejected retry ${place.partition}-${place.offset}`;
  return html`<div class="grid wide stretch">
    ${ui.section('Why', html`<p>${ui.text(rejected.detail ?? 'There is no detail.', { most: 600 })}</p>
      ${help ? html`<p class="note">${ui.prose(help.meaning)} Usually the fault of: ${help.usually}.</p>` : nothing}`)}
    ${ui.section('What to do', html`${help ? html`<p>${ui.prose(help.fix)}</p>` : nothing}
      <p class="row">${retry(rejected.retry)} ${RETRIES[rejected.retry] ?? nothing}</p>
      ${rejected.retry === 'never' ? nothing : ui.code(rejected.retry === 'vouch' ? `${command} --vouch` : command)}`)}</div>
    ${ui.section('How it came', html`<dl class="pairs">${FACTS.filter(([name]) => rejected[name] !== undefined && rejected[name] !== false).map(([name, words, show]) => html`<dt>${words}</dt><dd>${show
      ? show(rejected[name]) : ui.text(rejected[name])}</dd>`)}</dl>`)}
    ${ui.section('What came', rejected.preview === undefined
      ? html`<p class="note">${rejected.size === 0 ? 'No bytes.' : 'It is compressed or otherwise no text; the bytes can be downloaded.'}</p>`
      : html`<pre class="document" tabindex="0"><bdi>${ui.visible(rejected.preview, { lines: true })}</bdi></pre>`, {
      note: rejected.preview === undefined ? nothing : rejected.size > new TextEncoder().encode(rejected.preview).length ? 'How it begins' : 'All of it',
      aside: rejected.size > 0 ? html`<a class="button" href=${url('/api/v1/rejected/raw', place)} download>${ui.icon('download')}Download ${ui.number(rejected.size)} bytes</a>` : nothing,
    })}`;
}

const FACTS = [
  ['submitter', 'In the name of', submitter => html`<a href=${`/reporters/${segment(submitter)}`}>${ui.short(submitter)}</a>`],
  ['authentication', 'How sure', word => ui.trust(word)],
  ['dkim-domain', 'Signed by'],
  ['report-key', 'Report key'],
  ['entry', 'Entry of the report', entry => `only entry ${ui.visible(entry)} was refused`],
  ['source', 'Came', word => SOURCES[word] ?? ui.text(word)],
  ['remote', 'From'],
  ['channel-domain', 'Channel of'],
  ['message-id', 'Message-ID'],
  ['received-at', 'First received', received => ui.time(received, { seconds: true })],
  ['size', 'Kept', size => ui.count(size, 'byte')],
  ['cut', 'Cut', () => 'only the first bytes were kept'],
];
