// The shell: routes, navigation, session, theme, and the life of a page.
//
// A page is a module with
//   title(params)    words for the tab
//   view(context)    a template; called again whenever the URL, what it uses or its state changes
//   refresh          seconds between looking again, optional
// A view is synchronous and never waits: what it uses is there, on its way or failed, and it shows which. Its <h1>
// always stands, so that nothing jumps and focus has a place to go.
import { html, render, nothing } from '/lib/lit-html/lit-html.js';
import * as api from './api.js';
import * as ui from './ui.js';
import * as overview from './overview.js';
import * as domain from './domain.js';
import * as report from './report.js';
import * as alerts from './alerts.js';
import * as silences from './silences.js';
import * as reporters from './reporters.js';
import * as rejected from './rejected.js';
import * as live from './live.js';
import * as signin from './signin.js';

const ROUTES = [
  ['/', overview],
  ['/domains/{domain}', domain],
  ['/reports/view', report],
  ['/alerts', alerts.list],
  ['/alerts/{id}', alerts.one],
  ['/silences', silences],
  ['/reporters', reporters.list],
  ['/reporters/{submitter}', reporters.one],
  ['/rejected', rejected.list],
  ['/rejected/record', rejected.one],
  ['/live', live],
  ['/sign-in', signin],
].map(([path, page]) => ({ page, parts: path.split('/') }));

const NAVIGATION = [
  ['/', 'Overview', /^\/($|domains\/|reports\/)/],
  ['/alerts', 'Alerts', /^\/alerts/],
  ['/silences', 'Silences', /^\/silences/],
  ['/reporters', 'Reporters', /^\/reporters/],
  ['/rejected', 'Rejected', /^\/rejected/],
  ['/live', 'Live', /^\/live/],
];

/** What a caller who is limited to labels is not shown. */
const OF_ALL_DOMAINS = ['/reporters', '/rejected'];

/** Paths of this origin that the server answers by itself. */
const OF_THE_SERVER = /^\/(api|lib|dashboard|runbook)(\/|$)/;

const MOST_KEPT = 60;

const lost = {
  title: () => 'Not found',
  view: () => html`
    <h1 tabindex="-1">There is no such page</h1>
    <p>The address may have been mistyped. <a href="/">Go to the overview</a>.</p>`,
};

const shell = { session: undefined, waiting: undefined, firing: undefined, live: 'connecting', words: '', menu: false };

/** Answers by what they are asked for, so that going back shows at once what was there. */
const kept = new Map();

let current;
let frame;

function route(path) {
  const parts = path.replace(/(.)\/$/, '$1').split('/');
  for (const { page, parts: pattern } of ROUTES) {
    if (pattern.length !== parts.length) continue;
    const params = {};
    const fits = pattern.every((part, i) => {
      if (!part.startsWith('{')) return part === parts[i];
      try {
        params[part.slice(1, -1)] = decodeURIComponent(parts[i]);
      } catch {
        return false;
      }
      return parts[i] !== '';
    });
    if (fits) return { page, params };
  }
  return { page: lost, params: {} };
}

/** What a page gets to see and to do. */
class Context {
  /** For the page alone; lives as long as its path stays. */
  state = {};
  query = new URLSearchParams(location.search);
  #ending = new AbortController();
  #uses = new Map();
  #used = new Set();

  constructor(page, params, path) {
    this.page = page;
    this.params = params;
    this.path = path;
  }

  /** Ends when the page is left. */
  get signal() {
    return this.#ending.signal;
  }

  get session() {
    return shell.session;
  }

  /** Whether the caller may do more than ask. */
  get mayOperate() {
    return shell.session?.role === 'operate';
  }

  /**
   * The JSON of a path: `{data, error, loading}`. While new parameters are on their way the data of the old ones stay,
   * with `loading` true.
   *
   * @param name of this use within the page
   * @param path absent: nothing is asked yet
   * @param once whether `refresh` leaves it as it is: what hardly changes, or costs the server much
   */
  use(name, path, parameters, { once = false } = {}) {
    return this.#use(name, path && api.url(path, parameters), (address, signal) => api.get(address, { signal }), once);
  }

  /**
   * All rows of a list: `{data: {rows, complete}, error, loading}`.
   *
   * @param version of what is asked for; another one makes it be asked again
   */
  useAll(name, path, parameters = {}, most = 5000, { once = false, pages, version } = {}) {
    return this.#use(name, path && api.url(path, { ...parameters, all: most, version }),
      (_, signal) => api.getAll(path, parameters, { signal, most, pages }), once);
  }

  /** A document: `{data: {text, cut}, error, loading}`. */
  useText(name, path, parameters, most) {
    return this.#use(name, path && api.url(path, { ...parameters, text: most ?? 'all' }),
      (_, signal) => api.getText(api.url(path, parameters), { signal, most }), true);
  }

  #use(name, address, load, once) {
    this.#used.add(name);
    let use = this.#uses.get(name);
    if (!address) {
      use?.ending.abort();
      this.#uses.delete(name);
      return { loading: false };
    }
    if (use?.address !== address) {
      use?.ending.abort();
      const known = kept.get(address);
      use = { address, load, once, data: known ?? use?.data, dataOf: known ? address : use?.dataOf };
      this.#uses.set(name, use);
      this.#load(use);
    }
    return use;
  }

  async #load(use, { quiet = false } = {}) {
    use.ending?.abort();
    const ending = new AbortController();
    use.ending = ending;
    use.loading = !quiet;
    use.asking = true;
    try {
      const data = await use.load(use.address, AbortSignal.any([ending.signal, this.signal]));
      if (use.ending !== ending || ending.signal.aborted) return;
      use.data = data;
      use.dataOf = use.address;
      use.error = undefined;
      kept.delete(use.address);
      kept.set(use.address, data);
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    } catch (error) {
      if (use.ending !== ending || ending.signal.aborted || this.signal.aborted) return;
      use.error = error;
      if (error.status === 404 || use.dataOf !== use.address) use.data = undefined;
    }
    use.loading = false;
    use.asking = false;
    this.update();
  }

  /**
   * Looks at everything again that the page shows.
   *
   * @param quiet without a sign that it does
   */
  refresh(options) {
    for (const use of this.#uses.values()) if (!use.asking && (!use.once || use.error)) this.#load(use, options);
    this.update();
  }

  /** Shows the page's state as it is now. */
  update() {
    schedule();
  }

  /** This page's address with other query parameters; absent and empty ones go. */
  href(changes) {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === null || value === '') query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    return text ? `${this.path}?${text}` : this.path;
  }

  /** Goes there: a new entry of the history. */
  set(changes) {
    go(this.href(changes));
  }

  /** Goes there in place of the present entry: for what changes with each key pressed. */
  replace(changes) {
    go(this.href(changes), { replace: true });
  }

  navigate(address, options) {
    go(address, options);
  }

  announce(words) {
    announce(words);
  }

  /** Does something and looks again. */
  async act(method, path, body) {
    const answer = await api.send(method, path, body);
    this.refresh();
    count();
    return answer;
  }

  // the shell's part

  turn() {
    this.query = new URLSearchParams(location.search);
  }

  get busy() {
    return [...this.#uses.values()].some(use => use.loading);
  }

  content() {
    this.#used.clear();
    let content;
    try {
      content = this.page.view(this);
    } catch (error) {
      console.error(error);
      return html`<h1 tabindex="-1">${this.title()}</h1>${ui.failure(error)}`;
    }
    for (const [name, use] of this.#uses) {
      if (!this.#used.has(name)) {
        use.ending.abort();
        this.#uses.delete(name);
      }
    }
    return content;
  }

  title() {
    return ui.visible(this.page.title(this.params));
  }

  end() {
    this.#ending.abort();
  }
}

/** Shows what the address says. */
function show({ initial = false } = {}) {
  const path = location.pathname;
  if (current?.path === path) {
    current.turn();
    draw();
    return;
  }
  current?.end();
  const { page, params } = route(path);
  current = new Context(page, params, path);
  shell.menu = false;
  document.title = `${current.title()} – tlsrpt`;
  draw();
  if (!initial) focusHeading();
  document.querySelector('.nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  if (page.refresh) {
    const context = current;
    const timer = setInterval(() => document.hidden || context.refresh({ quiet: true }), page.refresh * 1000);
    context.signal.addEventListener('abort', () => clearInterval(timer));
  }
}

export function go(address, { replace = false } = {}) {
  const before = location.pathname;
  if (replace) history.replaceState(history.state, '', address);
  else history.pushState(null, '', address);
  show();
  if (location.pathname !== before) scrollTo({ top: 0, behavior: 'instant' });
}

function schedule() {
  frame ??= requestAnimationFrame(draw);
}

function draw() {
  if (frame) cancelAnimationFrame(frame);
  frame = undefined;
  const focused = document.activeElement;
  render(page(), document.getElementById('app'));
  // what had the focus may be gone, as a filter that was taken away
  if (focused && !focused.isConnected && document.activeElement === document.body) focusHeading();
}

function focusHeading() {
  document.querySelector('main h1')?.focus({ preventScroll: true });
}

function announce(words) {
  shell.words = '';
  schedule();
  setTimeout(() => {
    shell.words = words;
    schedule();
  }, 100);
}

function page() {
  const bare = current.page === signin;
  const content = current.content(); // first: it says what is on its way
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="top">
      <div class="top-in">
        <a class="brand" href="/">${ui.icon('brand')}<span>tlsrpt</span></a>
        ${bare ? html`<span class="grow"></span>` : navigation()}
        <div class="tools">
          ${bare ? nothing : session()} ${bare ? nothing : localTimes()} ${theme()}
        </div>
      </div>
      <div class="progress" data-on=${current.busy}></div>
    </header>
    ${banner()}
    <main id="main" tabindex="-1" data-page=${current.page === overview ? 'overview' : nothing}
      aria-busy=${current.busy}>${content}</main>
    <footer class="foot">
      <span>Times are UTC. TLS reports by <a href="https://www.rfc-editor.org/rfc/rfc8460" rel="noreferrer">RFC 8460</a>.</span>
      <span><a href="/runbook">Runbook</a></span>
    </footer>
    <div class="sr" role="status" aria-live="polite">${shell.words}</div>`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

function navigation() {
  const limited = Object.keys(shell.session?.labels ?? {}).length > 0;
  return html`<nav class="nav" aria-label="Main"><ul>
    ${NAVIGATION.filter(([href]) => !limited || !OF_ALL_DOMAINS.includes(href)).map(([href, name, pattern]) => html`<li><a href=${href}
      aria-current=${pattern.test(current.path) ? 'page' : nothing}>${name}${href === '/alerts' ? firing() : nothing}
      ${href === '/live' ? html`<span class="pulse" data-state=${shell.live}></span>` : nothing}</a></li>`)}
  </ul></nav>`;
}

function firing() {
  if (!shell.firing?.count) return html`<span class="count" data-severity="none" aria-hidden="true">00</span>`;
  const { count, critical, more } = shell.firing;
  return html`<span class="count" data-severity=${critical ? 'critical' : 'warning'}>${ui.number(count)}${more ? '+' : ''}<span
    class="sr"> firing${critical ? `, ${critical} critical` : ''}</span></span>`;
}

function banner() {
  if (!shell.waiting) return nothing;
  return html`<div class="banner" role="status">${ui.icon('wait')}<p>${shell.waiting === 'restoring'
    ? html`<strong>Restoring.</strong> The views are being read back from the broker; the page fills by itself.`
    : html`<strong>No connection to the server.</strong> What you see may be old. Trying again.`}</p></div>`;
}

const THEMES = { auto: 'system theme', light: 'light theme', dark: 'dark theme' };

function remember(name, value) {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // storage is switched off: it lasts until the page is closed
  }
}

function theme() {
  const root = document.documentElement;
  const words = Object.keys(THEMES);
  const chosen = () => root.dataset.theme ?? 'auto';
  const after = word => words[(words.indexOf(word) + 1) % words.length];
  const now = chosen();
  const change = () => {
    const next = after(chosen()); // asked now: it may have changed since this was drawn
    if (next === 'auto') delete root.dataset.theme;
    else root.dataset.theme = next;
    remember('theme', next === 'auto' ? undefined : next);
    document.dispatchEvent(new Event('theme'));
    announce(`now ${THEMES[next]}`);
  };
  return html`<button class="tool" type="button" @click=${change} title=${`Now ${THEMES[now]}; change to ${THEMES[after(now)]}`}
    aria-label=${`Theme: now ${THEMES[now]}, change to ${THEMES[after(now)]}`}>${ui.icon(`theme-${now}`)}</button>`;
}

function localTimes() {
  const root = document.documentElement;
  const shown = root.dataset.localTimes === 'shown';
  const change = () => {
    const hide = root.dataset.localTimes === 'shown';
    if (hide) delete root.dataset.localTimes;
    else root.dataset.localTimes = 'shown';
    remember('local-times', hide ? undefined : 'shown');
    announce(hide ? 'times in UTC only' : 'local times shown beside UTC');
  };
  return html`<button class="tool" type="button" aria-pressed=${shown} @click=${change}
    title=${`Show local times (${ui.ZONE}) beside UTC`}>${ui.icon('clock')}<span class="tool-text">${shown ? 'UTC + local' : 'UTC'}</span><span
    class="sr">: show local times beside UTC</span></button>`;
}

function session() {
  const who = shell.session;
  if (!who) return html`<span class="session"></span>`;
  const labels = Object.entries(who.labels ?? {}).map(([key, value]) => `${key}: ${value}`).join(', ');
  const about = who.authentication === 'none'
    ? 'No sign-in is configured; only this computer may come here'
    : `Signed in as ${ui.visible(who.name)}${labels ? `, limited to ${ui.visible(labels)}` : ''}`;
  return html`<span class="session" title=${about}>
    <span class="session-name">${ui.icon('person')}${ui.text(who.name, { most: 24 })}</span>
    <span class="role">${who.role === 'operate' ? 'operate' : 'read only'}</span>
    <span class="sr">${about}</span>
    ${who.authentication === 'token'
      ? html`<button class="tool" type="button" @click=${signOut}>Sign out</button>` : nothing}</span>`;
}

async function signOut() {
  try {
    await api.send('DELETE', '/api/v1/session');
  } catch (error) {
    console.warn(error);
    await ui.ask({ title: 'You are still signed in', body: () => ui.failure(error), confirm: 'Close' });
    return;
  }
  location.assign('/sign-in');
}

let counting;

/** How many alerts fire. */
function count() {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    try {
      const { rows, complete } = await api.get(api.url('/api/v1/alerts', { state: 'firing', limit: 1000 }));
      const critical = rows.filter(alert => alert.severity === 'critical').length;
      shell.firing = { count: rows.length, critical, more: complete === false };
    } catch (error) {
      console.warn('alerts could not be counted', error);
    }
    schedule();
  }, 300);
}

async function start() {
  api.onWaiting(why => {
    shell.waiting = why;
    schedule();
  });
  document.addEventListener('click', event => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
    if (current.page === signin) return; // a new start, with whoever has signed in
    if (OF_THE_SERVER.test(link.pathname)) return;
    if (link.pathname === location.pathname && link.search === location.search && link.hash) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
  addEventListener('popstate', () => show());
  document.addEventListener('theme', schedule);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && current.page.refresh) current.refresh({ quiet: true });
  });
  show({ initial: true });
  if (current.page === signin) {
    api.get('/api/v1/session').then(() => location.replace(signin.back(current.query.get('back'))),
      () => {}); // nobody has signed in: that is what this page is for
    return;
  }
  try {
    shell.session = await api.get('/api/v1/session');
  } catch (error) {
    if (error.status === 401) return; // the way to the sign-in page has begun
    console.error('who is signed in is not known; nothing can be changed', error);
  }
  schedule();
  count();
  let refreshing;
  api.follow('alerts', {
    signal: new AbortController().signal,
    onState: state => {
      if (state === 'live' && shell.live !== 'live') count();
      shell.live = state;
      schedule();
    },
    onRecord: () => {
      count();
      clearTimeout(refreshing);
      refreshing = setTimeout(() => current.page.refresh && current.refresh({ quiet: true }), 1000);
    },
  });
}

start();
