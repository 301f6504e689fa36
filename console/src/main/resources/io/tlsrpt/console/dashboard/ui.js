// What pages are made of: functions that give lit templates. Text from reports is somebody else's: it is always text,
// keeps to itself (bdi) and shows what would not be seen.
import { html, svg, render, nothing, noChange } from '/lib/lit-html/lit-html.js';
import { Directive, directive } from '/lib/lit-html/directive.js';
import { live } from '/lib/lit-html/directives/live.js';
import { repeat } from '/lib/lit-html/directives/repeat.js';
import { Problem } from './api.js';
import './chart.js';

// ---- icons -------------------------------------------------------------------------------------------------------

const ICONS = {
  brand: svg`<path d="M3.5 6.5h17v11h-17z"/><path d="M3.5 7.5 12 13.5l8.5-6"/>`,
  critical: svg`<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8z"/><path d="M12 7.5v5.5M12 16.2v.3"/>`,
  warning: svg`<path d="M12 3.5 22 20.5H2z"/><path d="M12 10v4.5M12 17.2v.3"/>`,
  info: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5v.3"/>`,
  ok: svg`<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16.2 9.5"/>`,
  none: svg`<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>`,
  unknown: svg`<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5v.3"/>`,
  wait: svg`<path d="M12 3a9 9 0 1 0 9 9"/>`,
  hourglass: svg`<path d="M7 3h10M7 21h10M8 3c0 5 8 5 8 9s-8 4-8 9M16 3c0 5-8 5-8 9s8 4 8 9"/>`,
  missing: svg`<circle cx="12" cy="12" r="9"/><path d="m9 9 6 6M15 9l-6 6"/>`,
  clock: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>`,
  person: svg`<circle cx="12" cy="8.5" r="3.5"/><path d="M5 20c.8-4 3.5-5.5 7-5.5s6.2 1.5 7 5.5"/>`,
  'theme-auto': svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17a8.5 8.5 0 0 0 0-17z" class="fill"/>`,
  'theme-light': svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3 7 7M17 17l1.7 1.7M5.3 18.7 7 17M17 7l1.7-1.7"/>`,
  'theme-dark': svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  copy: svg`<path d="M9 9h11v11H9z"/><path d="M15 9V4H4v11h5"/>`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
  up: svg`<path d="m6 14.5 6-6 6 6"/>`,
  down: svg`<path d="m6 9.5 6 6 6-6"/>`,
  search: svg`<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>`,
  download: svg`<path d="M12 4v11M7 10.5l5 5 5-5M4 20h16"/>`,
  back: svg`<path d="M14.5 6 8.5 12l6 6"/>`,
};

/** A picture beside words; it says nothing by itself. */
export function icon(name) {
  return html`<svg class="icon" data-icon=${name} viewBox="0 0 24 24" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;
}

// ---- text of others ----------------------------------------------------------------------------------------------

/** What has no shape or turns the text around it: controls, zero width, direction marks, tags, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u3164\uFE00-\uFE0F\uFFA0\u{E0000}-\u{E0FFF}]/gu;

function escaped(character) {
  const code = character.codePointAt(0);
  return code > 0xffff ? `\\u{${code.toString(16).toUpperCase()}}` : `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * Text in which everything can be seen.
 *
 * @param lines whether line ends and tabs may stay
 */
export function visible(value, { lines = false } = {}) {
  return String(value ?? '').replace(UNSEEN, character =>
    lines && (character === '\n' || character === '\t') ? character : escaped(character));
}

/**
 * Somebody else's text, cut when it is long.
 *
 * @param most characters that show at first
 */
export function text(value, { most = 200, lines = false } = {}) {
  if (value === undefined || value === null || value === '') return nothing;
  const raw = String(value);
  if (raw.length <= most) return html`<bdi class="text" data-lines=${lines}>${visible(raw, { lines })}</bdi>`;
  const short = `${visible(raw.slice(0, most), { lines })}…`;
  const toggle = event => {
    const button = event.currentTarget;
    const all = button.getAttribute('aria-expanded') !== 'true';
    button.previousElementSibling.textContent = all ? visible(raw, { lines }) : short;
    button.setAttribute('aria-expanded', all);
    button.textContent = all ? 'show less' : button.dataset.more;
  };
  const more = `show all ${number(raw.length)} characters`;
  return html`<span class="long"><bdi class="text" data-lines=${lines} .textContent=${short}></bdi> <button
    type="button" class="link" aria-expanded="false" data-more=${more} @click=${toggle} .textContent=${more}></button></span>`;
}

/** Somebody else's text within a link or an option: cut when it is long, without a button for the rest. */
export function short(value, most = 120) {
  const raw = String(value ?? '');
  return html`<bdi class="text">${visible(raw.slice(0, most))}${raw.length > most ? '…' : ''}</bdi>`;
}

/** A name that is a link to something of ours. */
export function link(href, words, { most } = {}) {
  return html`<a href=${href}>${short(words, most)}</a>`;
}

/** An address into the page, from segments that are somebody else's text. */
export function path(...segments) {
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

/** The same under /api/v1. */
export function api(...segments) {
  return `/api/v1${path(...segments)}`;
}

// ---- numbers and times -------------------------------------------------------------------------------------------

const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 12,345. */
export function number(value) {
  return value === undefined || value === null ? '–' : GROUPED.format(value);
}

/** 12.3K, for scales. */
export function compact(value) {
  return value === undefined || value === null ? '–' : COMPACT.format(value);
}

/** `3 reports`, `1 report`. */
export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** A share in words that never round a failure away: 100 % means all, 0 % means none. */
export function percent(part, whole) {
  if (!(whole > 0) || part === undefined) return '–';
  const share = (100 * part) / whole;
  if (part >= whole) return '100\u202f%';
  if (part <= 0) return '0\u202f%';
  if (share >= 99.995) return '>\u202f99.99\u202f%';
  if (share < 0.005) return '<\u202f0.01\u202f%';
  const digits = share > 99 || share < 1 ? 2 : 1;
  return `${share.toFixed(digits)}\u202f%`;
}

/** The time zone of the person who looks. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const LOCAL = new Intl.DateTimeFormat('sv', {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: ZONE,
});

/**
 * A moment in UTC; the local time shows beside it when the person switched it on, and in the title.
 *
 * @param seconds whether they matter
 */
export function time(iso, { seconds = false } = {}) {
  const moment = new Date(iso);
  if (!iso || Number.isNaN(moment.getTime())) return html`<span class="none">–</span>`;
  const end = seconds ? 19 : 16;
  const utc = moment.toISOString().slice(0, end).replace('T', ' ');
  const local = LOCAL.format(moment).slice(0, end);
  return html`<span class="time"><time datetime=${iso} title=${`${local} ${ZONE} (local)`}>${utc}<span class="zone"> UTC</span></time><span
    class="local"> ${local} local</span></span>`;
}

const DAY_MILLIS = 86_400_000;
const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [Infinity, 'day']];
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** How long ago, with the moment at hand. */
export function ago(iso) {
  const moment = new Date(iso);
  if (!iso || Number.isNaN(moment.getTime())) return html`<span class="none">–</span>`;
  let amount = (moment.getTime() - Date.now()) / 1000;
  let unit = 'second';
  for (const [size, name] of STEPS) {
    unit = name;
    if (Math.abs(amount) < size) break;
    if (size !== Infinity) amount /= size;
  }
  const utc = moment.toISOString().slice(0, 16).replace('T', ' ');
  const local = LOCAL.format(moment).slice(0, 16);
  return html`<span class="time"><time datetime=${iso} title=${`${utc} UTC, ${local} ${ZONE} (local)`}>${RELATIVE.format(Math.round(amount), unit)}</time><span
    class="local"> ${local} local</span></span>`;
}

/** `3 d 4 h` of an ISO 8601 duration or of seconds. */
export function duration(value) {
  let seconds = value;
  if (typeof value === 'string') {
    const parts = /^(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(value);
    if (!parts) return visible(value);
    const [, minus, d = 0, h = 0, m = 0, s = 0] = parts;
    seconds = (minus ? -1 : 1) * (d * 86400 + h * 3600 + m * 60 + Number(s));
  }
  if (seconds === undefined || seconds === null) return '–';
  const sign = seconds < 0 ? '−' : '';
  let rest = Math.abs(Math.round(seconds));
  const parts = [];
  for (const [size, name] of [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]) {
    const amount = Math.floor(rest / size);
    if (amount > 0) parts.push(`${amount} ${name}`);
    rest -= amount * size;
  }
  return sign + (parts.slice(0, 2).join(' ') || '0 s');
}

/** Today in UTC, an ISO day. */
export function today() {
  return new Date().toISOString().slice(0, 10);
}

/** An ISO day so many days from another one. */
export function plusDays(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MILLIS).toISOString().slice(0, 10);
}

/** Days from one to another, both included. */
export function daysBetween(from, to) {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MILLIS) + 1;
}

export function isDay(value) {
  return /^\d{4}-\d\d-\d\d$/.test(value ?? '') && !Number.isNaN(Date.parse(`${value}T00:00:00Z`));
}

// ---- badges ------------------------------------------------------------------------------------------------------

/**
 * A word with a colour and a picture.
 *
 * @param kind critical, warning, info, ok, none, unknown
 * @param picture an icon's name, that of the kind unless named
 * @param plain without a ground: for what is as it should be
 */
export function badge(kind, words, { picture = kind, plain = false } = {}) {
  return html`<span class=${plain ? 'badge plain' : 'badge'} data-kind=${kind}>${icon(ICONS[picture] ? picture : 'info')}<span>${visible(words)}</span></span>`;
}

/** critical, warning or info. */
export function severity(word) {
  return badge(['critical', 'warning', 'info'].includes(word) ? word : 'none', word);
}

/** firing or resolved. */
export function alertState(word) {
  return word === 'firing' ? badge('warning', 'firing') : badge('ok', 'resolved');
}

/** What a trust word means to people. */
export const TRUST = {
  verified: 'verified',
  unverified: 'unverified',
  dkim: 'DKIM verified',
  operator: 'vouched for',
  none: 'unverified',
};

/** `dkim`, `operator`, `none`, `verified`, `unverified`. */
export function trust(word) {
  const verified = word !== 'none' && word !== 'unverified';
  return badge(verified ? 'ok' : 'none', TRUST[word] ?? word, { plain: verified });
}

const POLICY_TYPES = { sts: 'MTA-STS', tlsa: 'DANE', 'no-policy-found': 'no policy' };

/** The name people know a policy-type by. */
export function policyType(word) {
  return POLICY_TYPES[word] ?? visible(word);
}

/** enforce, testing or none. */
export function mode(word) {
  return html`<span class="mode" data-mode=${word}>${visible(word)}</span>`;
}

/** A small grey word. */
export function tag(words) {
  return html`<span class="tag">${text(words, { most: 60 })}</span>`;
}

/**
 * key: value of what the operator named so.
 *
 * @param linked to the domains that have the same
 */
export function labels(pairs, { linked = false } = {}) {
  const entries = Object.entries(pairs ?? {});
  if (entries.length === 0) return nothing;
  return html`<span class="tags">${entries.map(([key, value]) => (linked
    ? html`<a class="tag" href=${`/?label=${encodeURIComponent(`${key}:${value}`)}`}>${short(`${key}: ${value}`, 60)}</a>`
    : tag(`${key}: ${value}`)))}</span>`;
}

// ---- filters -----------------------------------------------------------------------------------------------------

/** A filter that is on; the link takes it away. */
export function chip(name, value, href) {
  return html`<li class="chip"><span class="chip-name">${name}</span> ${text(value, { most: 60 })}
    <a href=${href} class="chip-close" aria-label=${`Remove filter ${name}: ${visible(value).slice(0, 100)}`}>${icon('close')}</a></li>`;
}

/** @param chips of `chip()`; @param clear the address without any filter */
export function chips(chips, clear) {
  if (chips.length === 0) return nothing;
  return html`<div class="chips"><ul aria-label="Filters that are on">${chips}</ul>
    ${chips.length > 1 ? html`<a class="clear" href=${clear}>Clear all filters</a>` : nothing}</div>`;
}

/**
 * A choice of a few.
 *
 * @param options [value, words] pairs
 */
export function select({ label, value, options, onChange, hidden = false }) {
  return html`<label class="field"><span class=${hidden ? 'sr' : 'field-name'}>${label}</span>
    <select @change=${event => onChange(event.target.value)}>${options.map(([option, words]) => html`<option value=${option}
      .selected=${live(option === (value ?? ''))}>${visible(words)}</option>`)}</select></label>`;
}

const typing = new WeakMap();

/** Sets a text field, but never while somebody types in it. */
const typed = directive(class extends Directive {
  update({ element }, [value]) {
    if (!typing.has(element) && element.value.trim() !== value.trim()) element.value = value;
    return noChange;
  }
});

/** Text that narrows a list while it is typed. */
export function search({ label, value = '', onInput, placeholder = '' }) {
  const input = event => {
    const field = event.target;
    clearTimeout(typing.get(field));
    typing.set(field, setTimeout(() => {
      typing.delete(field);
      onInput(field.value.trim());
    }, 200));
  };
  return html`<label class="field search"><span class="sr">${label}</span>${icon('search')}
    <input type="search" ${typed(value)} placeholder=${placeholder || label} autocomplete="off" spellcheck="false" @input=${input}></label>`;
}

/**
 * One of a few, as a row of links that keep in the URL.
 *
 * @param options {href, words, on, note}
 */
export function segmented(label, options) {
  return html`<div class="segmented" role="group" aria-label=${label}>${options.map(({ href, words, on, note }) => html`<a href=${href}
    aria-current=${on ? 'true' : nothing}>${words}${note === undefined ? nothing : html` <span class="note">${note}</span>`}</a>`)}</div>`;
}

// ---- tables ------------------------------------------------------------------------------------------------------

function numeric(column) {
  return column.numeric && column.align !== 'start' ? 'num' : '';
}

/**
 * A table with sortable heads.
 *
 * @param columns {key, label, cell(row), numeric, sort, hint, wide}; `sort` lets the head be a button
 * @param sort {key, descending}
 * @param key of a row, so that rows keep their place in the DOM
 * @param stack whether a narrow page shows each row as a block of names and values
 */
export function table({ caption, columns, rows, key, sort, onSort, captionShown = false, dense = false, stack = false, rowKind }) {
  const head = column => {
    const on = sort?.key === column.key;
    const order = on ? (sort.descending ? 'descending' : 'ascending') : nothing;
    const words = column.sort && onSort
      ? html`<button type="button" class="sort" @click=${() => onSort(column.key, on ? !sort.descending : Boolean(column.numeric))}>${column.label}${icon(on && !sort.descending ? 'up' : 'down')}</button>`
      : column.label;
    return html`<th scope="col" role="columnheader" class=${numeric(column)} data-column=${column.key} aria-sort=${order}
      title=${column.hint ?? nothing}>${words}</th>`;
  };
  const line = row => html`<tr role="row" data-kind=${rowKind?.(row) ?? nothing}>${columns.map((column, i) => i === 0
    ? html`<th scope="row" role="rowheader" data-column=${column.key} data-label=${column.label}>${column.cell(row)}</th>`
    : html`<td role="cell" class=${numeric(column)} data-column=${column.key} data-label=${column.label}>${column.cell(row)}</td>`)}</tr>`;
  return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0"><table role="table" class=${`${dense ? 'dense' : ''} ${stack ? 'stacked' : ''}`}>
    <caption class=${captionShown ? '' : 'sr'}>${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map(head)}</tr></thead>
    <tbody role="rowgroup">${key ? repeat(rows, key, line) : rows.map(line)}</tbody></table></div>`;
}

/** Rows in order of what `value` gives for them: numbers, or words in natural order; absent ones last. */
export function sorted(rows, value, descending) {
  const words = new Intl.Collator('en', { numeric: true });
  const keyed = rows.map(row => [value(row), row]);
  keyed.sort(([a], [b]) => {
    if (a === undefined || a === null) return b === undefined || b === null ? 0 : 1;
    if (b === undefined || b === null) return -1;
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(a, b);
    return descending ? -order : order;
  });
  return keyed.map(([, row]) => row);
}

/** The first rows and a button for more; how many is in `state[name]`. */
export function cut(context, name, rows, step) {
  const shown = Math.max(step, context.state[name] ?? 0);
  const left = rows.length - shown;
  const more = left <= 0 ? nothing : html`<p class="more"><button type="button" class="button" @click=${() => {
    context.state[name] = shown + step * 4;
    context.update();
    context.announce(`${number(Math.min(left, step * 4))} more shown`);
  }}>Show ${number(Math.min(left, step * 4))} more <span class="note">of ${number(left)}</span></button></p>`;
  return { rows: left > 0 ? rows.slice(0, shown) : rows, more };
}

// ---- states ------------------------------------------------------------------------------------------------------

/** Grey bars where something will stand; `lines` keeps the room it will take. */
export function loading(lines = 4) {
  return html`<div class="skeleton" role="img" aria-label="loading">${Array.from({ length: lines }, () => html`<span></span>`)}</div>`;
}

/** Nothing there, and why that is. */
export function empty(title, words = nothing, picture = 'none') {
  return html`<div class="empty">${icon(picture)}<p class="empty-title">${title}</p><div class="empty-words">${words}</div></div>`;
}

/** What went wrong, with the server's own words. */
export function failure(error, again) {
  const problem = error instanceof Problem;
  return html`<div class="failure" role="alert">${icon('warning')}<div>
    <p class="failure-title">${problem ? visible(error.title) : 'This could not be shown'}</p>
    <p>${visible(problem ? error.detail : error.message)}</p>
    ${again && error.status !== 403 ? html`<button type="button" class="button" @click=${again}>Try again</button>` : nothing}</div></div>`;
}

/**
 * What a use gives: its data shown by `then`, or why there are none yet.
 *
 * @param lines of the skeleton
 */
export function of(context, use, then, { lines = 4, missing } = {}) {
  if (use.error && use.error.status === 404 && missing) return missing();
  if (use.error && use.data === undefined) return failure(use.error, () => context.refresh());
  if (use.data === undefined) return loading(lines);
  return html`${use.error ? html`<p class="stale">${icon('warning')} Could not be brought up to date: ${visible(use.error.message)}</p>` : nothing}${then(use.data)}`;
}

/** A part of a page with a heading. */
export function section(title, content, { note = nothing, id, aside = nothing, kind } = {}) {
  return html`<section class="card" id=${id ?? nothing} data-kind=${kind ?? nothing}><header class="card-head"><div><h2>${title}</h2>${note === nothing ? nothing
    : html`<p class="note">${note}</p>`}</div><div class="card-aside">${aside}</div></header><div class="card-body">${content}</div></section>`;
}

/** Big numbers in a row: {label, value, note, kind}. */
export function figures(list) {
  return html`<dl class="figures">${list.map(({ label, value, note, kind }) => html`<div data-kind=${kind ?? nothing}><dt>${label}</dt>
    <dd><span class="figure">${value}</span>${note ? html`<span class="note">${note}</span>` : nothing}</dd></div>`)}</dl>`;
}

/** Names and values: [name, template] pairs; absent values are left out. */
export function facts(pairs) {
  return html`<dl class="facts">${pairs.filter(([, value]) => value !== undefined && value !== null && value !== nothing && value !== '')
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Where one is: [href, words] pairs, the last one is here. */
export function crumbs(...steps) {
  return html`<nav class="crumbs" aria-label="You are here"><ol>${steps.map(([href, words]) => html`<li>${href
    ? html`<a href=${href}>${short(words, 60)}</a>` : html`<span aria-current="page">${text(words, { most: 60 })}</span>`}</li>`)}</ol></nav>`;
}

/** The same as CSV. */
export function csv(href, words = 'CSV') {
  return html`<a class="button quiet" href=${href} download>${icon('download')}${words}</a>`;
}

// ---- things to do ------------------------------------------------------------------------------------------------

async function toClipboard(words) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(words);
    return;
  }
  // a page that came over plain HTTP from another host has no clipboard; the old way still works
  const area = document.createElement('textarea');
  area.value = words;
  area.className = 'sr';
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('the browser did not let it');
}

/** Puts words into the clipboard and says so. */
export function copyButton(words, label = 'Copy') {
  const copy = async event => {
    const button = event.currentTarget;
    const said = button.querySelector('.copy-words');
    try {
      await toClipboard(words);
      button.dataset.done = 'true';
      said.textContent = 'Copied';
    } catch (error) {
      console.warn(error);
      said.textContent = 'Select it and press Ctrl+C';
    }
    setTimeout(() => {
      delete button.dataset.done;
      said.textContent = label;
    }, 2000);
  };
  return html`<button type="button" class="button quiet copy" @click=${copy}>${icon('copy')}<span class="copy-words" role="status" .textContent=${label}></span></button>`;
}

/** A command or a document, with a button that copies it. */
export function code(words, { label = 'Copy', lines = true } = {}) {
  return html`<div class="code"><pre tabindex="0"><code><bdi>${visible(words, { lines })}</bdi></code></pre>${copyButton(words, label)}</div>`;
}

/** `<mx>`, **words** and `code` of our own texts. */
export function prose(words) {
  return String(words).split(/(`[^`]+`)/).map(part => part.startsWith('`') && part.length > 2
    ? html`<code>${visible(part.slice(1, -1))}</code>` : visible(part));
}

/**
 * A question in a dialog.
 *
 * @param body a function of `update` (draws the dialog again) that gives a template; its form controls are in a form
 * @param onConfirm gets the form's data; what it throws shows in the dialog, which stays open
 * @returns whether it was confirmed
 */
export function ask({ title, body = () => nothing, confirm = 'OK', danger = false, onConfirm = async () => {} }) {
  const dialog = document.createElement('dialog');
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  dialog.className = 'dialog';
  dialog.setAttribute('aria-labelledby', id);
  const before = document.activeElement;
  let error;
  let busy = false;
  document.body.append(dialog);
  return new Promise(resolve => {
    const end = confirmed => {
      removeEventListener('popstate', left);
      dialog.close();
      dialog.remove();
      before?.focus?.();
      resolve(confirmed);
    };
    const left = () => end(false); // it asked about the page that was there
    addEventListener('popstate', left);
    const submit = async event => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      error = undefined;
      draw();
      try {
        await onConfirm(new FormData(event.target));
        end(true);
      } catch (failed) {
        error = failed;
        busy = false;
        draw();
      }
    };
    const draw = () => render(html`<form @submit=${submit}><h2 id=${id}>${title}</h2>
      <div class="dialog-body">${body(draw)}</div>
      ${error ? failure(error) : nothing}
      <div class="dialog-end"><button type="button" class="button" @click=${() => end(false)}>Cancel</button>
      <button type="submit" class="button primary" data-danger=${danger} ?disabled=${busy}>${confirm}</button></div></form>`, dialog);
    draw();
    dialog.addEventListener('cancel', event => {
      event.preventDefault();
      end(false);
    });
    dialog.showModal();
    dialog.querySelector('input, textarea, select')?.focus();
  });
}

// ---- pictures of numbers -----------------------------------------------------------------------------------------

/** Success rate of a number of days as a line; days without sessions are gaps. */
export function sparkline({ successful, failed, from }) {
  const width = 120;
  const height = 28;
  const rates = successful.map((good, i) => (good + failed[i] > 0 ? good / (good + failed[i]) : undefined));
  const known = rates.filter(rate => rate !== undefined);
  if (known.length === 0) return html`<span class="none">–</span>`;
  const worst = Math.min(...known);
  const floor = Math.min(worst, 0.9);
  const x = i => (rates.length > 1 ? 2 + (i * (width - 4)) / (rates.length - 1) : width / 2);
  const y = rate => 3 + ((1 - rate) / (1 - floor)) * (height - 6);
  let line = '';
  let pen = false;
  const dots = [];
  rates.forEach((rate, i) => {
    if (rate === undefined) {
      pen = false;
      return;
    }
    const alone = !pen && (i === rates.length - 1 || rates[i + 1] === undefined);
    if (alone) dots.push([x(i), y(rate)]);
    else line += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(rate).toFixed(1)}`;
    pen = true;
  });
  const day = plusDays(from, rates.indexOf(worst));
  const words = worst === 1
    ? `success rate of ${rates.length} days: always 100 %`
    : `success rate of ${rates.length} days: lowest ${percent(worst, 1)} on ${day}`;
  return html`<svg class="spark" role="img" aria-label=${words} viewBox="0 0 ${width} ${height}" data-kind=${worst === 1 ? 'ok' : worst < 0.98 ? 'critical' : 'warning'}>
    <path class="spark-base" d="M2 3H${width - 2}"></path><path class="spark-line" d=${line}></path>
    ${dots.map(([cx, cy]) => svg`<circle cx=${cx} cy=${cy} r="1.6"></circle>`)}</svg>`;
}

/** A bar as long as its share, for lists of counts. */
export function bar(part, whole, kind = 'accent') {
  const width = whole > 0 ? Math.max(part > 0 ? 1 : 0, (100 * part) / whole) : 0;
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" data-kind=${kind}><rect width="100" height="4" class="bar-rail"></rect><rect width=${width} height="4"></rect></svg>`;
}

/**
 * Days against numbers, with the same as a table behind it.
 *
 * @param label what it shows, for those who do not see it
 * @param days ISO days, ascending
 * @param series {label, values, kind: line|bars, colour, percent, scale}
 */
export function chart({ label, days, series, height = 220, onRange }) {
  const shown = series.map(one => ({
    ...one, words: value => (value === undefined || value === null ? '–' : one.percent ? percent(value, 1) : number(value)),
  }));
  return html`<figure class="chart"><day-chart aria-hidden="true" .spec=${{ label, days, series: shown, height, onRange }}></day-chart>
    <figcaption class="sr">${label}. The numbers are in the table below.</figcaption>
    <details class="behind" ${behind({ label, days, series: shown })} @toggle=${event => fill(event.target, { label, days, series: shown })}><summary>Show as a table</summary><div class="behind-table"></div></details></figure>`;
}

/** A table that is looked at follows its chart. */
const behind = directive(class extends Directive {
  update({ element }, [spec]) {
    fill(element, spec);
    return noChange;
  }
});

const filled = new WeakMap();

/** The table behind a chart is made when it is looked at, and again when its numbers are others. */
function fill(details, { label, days, series }) {
  const numbers = [days, ...series.map(one => one.values)];
  if (!details.open || filled.get(details)?.every((one, i) => one === numbers[i])) return;
  filled.set(details, numbers);
  const columns = [
    { key: 'day', label: 'Day (UTC)', cell: i => days[i] },
    ...series.map((one, s) => ({ key: `s${s}`, label: one.label, numeric: true, cell: i => one.words(one.values[i]) })),
  ];
  const rows = days.map((_, i) => days.length - 1 - i).filter(i => series.some(one => one.values[i] !== undefined && one.values[i] !== null));
  render(table({ caption: label, columns, rows, dense: true }), details.querySelector('.behind-table'));
}
