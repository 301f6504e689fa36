// Talks to /api/v1. Reading waits out what passes (views being restored, no connection) and says so; a refusal is a
// Problem with words for people.

/** What the server said no with (RFC 9457). */
export class Problem extends Error {
  constructor(status, title, detail, errors = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
  }
}

const LONGEST_WAIT = 30;
const waiting = new Map();
const listeners = new Set();

/** Tells what readers wait for: `'restoring'`, `'offline'` or absent. */
export function onWaiting(listener) {
  listeners.add(listener);
}

function setWaiting(who, why) {
  if (why) waiting.set(who, why);
  else if (!waiting.delete(who)) return;
  const reasons = [...waiting.values()];
  const worst = reasons.includes('offline') ? 'offline' : reasons[0];
  listeners.forEach(listener => listener(worst));
}

/** A path with a query; absent and empty parameters are left out, lists repeat the name. */
export function url(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') query.append(name, one);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** A path segment that is somebody else's text. */
export const segment = encodeURIComponent;

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener('abort', end, { once: true });
  });
}

async function problem(response) {
  let body = {};
  try {
    if ((response.headers.get('Content-Type') ?? '').includes('json')) body = await response.json();
  } catch {
    // a proxy's own words; the status says enough
  }
  return new Problem(response.status, body.title ?? `Status ${response.status}`, body.detail ?? '', body.errors ?? []);
}

/** To the sign-in page, and back here after. */
export function signIn() {
  if (location.pathname !== '/sign-in') {
    location.assign(url('/sign-in', { back: location.pathname + location.search }));
  }
}

function retryAfter(response, otherwise) {
  const seconds = Number(response.headers.get('Retry-After'));
  return seconds > 0 ? Math.min(seconds, LONGEST_WAIT) : otherwise;
}

async function answered(path, options, signal) {
  const who = {};
  try {
    for (let attempt = 0; ; attempt++) {
      const wait = Math.min(2 ** attempt, LONGEST_WAIT);
      let response;
      try {
        response = await fetch(path, { ...options, signal, credentials: 'same-origin' });
      } catch (failed) {
        if (signal?.aborted) throw failed;
        setWaiting(who, 'offline');
        await pause(wait, signal);
        continue;
      }
      if (response.ok) return response;
      if (response.status === 503 || response.status === 502 || response.status === 504) {
        setWaiting(who, response.status === 503 ? 'restoring' : 'offline');
        await pause(retryAfter(response, wait), signal);
        continue;
      }
      if (response.status === 401) signIn();
      throw await problem(response);
    }
  } finally {
    setWaiting(who);
  }
}

/** JSON of a path. */
export async function get(path, { signal } = {}) {
  return (await answered(path, { headers: { Accept: 'application/json' } }, signal)).json();
}

/** A document as text, at most so many bytes of it. */
export async function getText(path, { signal, most = 1024 * 1024 } = {}) {
  const response = await answered(path, {}, signal);
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  while (length < most) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  const cut = length >= most;
  if (cut) await reader.cancel();
  const bytes = new Uint8Array(length);
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return { text: new TextDecoder().decode(bytes.subarray(0, most)), cut };
}

/**
 * All rows of a list, page after page.
 *
 * @param most rows to ask for; `complete` says whether that was all
 * @param pages to ask for at most, where a page may be short or empty and yet not be the last
 */
export async function getAll(path, parameters = {}, { signal, most = 5000, pages = 50 } = {}) {
  const rows = [];
  let cursor;
  let page;
  let asked = 0;
  do {
    page = await get(url(path, { limit: Math.min(1000, most), ...parameters, cursor }), { signal });
    rows.push(...page.rows);
    cursor = page.cursor;
    asked++;
  } while (cursor && rows.length < most && asked < pages);
  return { ...page, rows, complete: !cursor };
}

/** Changes something: told once, never repeated by itself. JSON of the answer, absent where it has none. */
export async function send(method, path, body, { signal } = {}) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal, credentials: 'same-origin', body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (failed) {
    if (signal?.aborted) throw failed;
    throw new Problem(0, 'No connection', 'the server did not answer; whether it did this is not known');
  }
  if (!response.ok) {
    if (response.status === 401 && path !== '/api/v1/session') signIn();
    throw await problem(response);
  }
  return response.status === 204 ? undefined : response.json();
}

/**
 * Follows `/api/v1/stream`. A hidden page lets go of its connection (a browser has six for all its tabs) and goes on
 * where it was when it is looked at again.
 *
 * @param onRecord gets each record and its event id
 * @param onState gets `'live'`, `'connecting'`, `'paused'`, or `'refused'` with the Problem that will not pass by itself
 * @param signal ends it
 */
export function follow(topic, { domain, onRecord, onState = () => {}, signal }) {
  let source;
  let last;
  let timer;
  let failures = 0;
  /** An EventSource does not tell why it was refused. */
  const why = async address => {
    const asking = new AbortController();
    try {
      const response = await fetch(address, { signal: asking.signal, credentials: 'same-origin' });
      return response.ok || response.status >= 500 ? undefined : await problem(response);
    } catch {
      return undefined; // no connection, which passes
    } finally {
      asking.abort();
    }
  };
  const open = () => {
    close();
    if (signal.aborted || document.hidden) return;
    onState('connecting');
    const address = url('/api/v1/stream', { topic, domain, 'last-event-id': last });
    const mine = new EventSource(address);
    source = mine;
    source.onopen = () => {
      failures = 0;
      onState('live');
    };
    // where it begins, so that nothing is missed by a page that is hidden before its first record
    source.addEventListener('position', event => {
      last = event.lastEventId || last;
    });
    source.addEventListener(topic, event => {
      last = event.lastEventId || last;
      onRecord(JSON.parse(event.data), event.lastEventId);
    });
    source.onerror = async () => {
      onState('connecting');
      if (mine.readyState !== EventSource.CLOSED) return;
      const refused = await why(address);
      if (source !== mine) return; // closed or opened anew meanwhile
      if (refused?.status === 401) signIn();
      if (refused) onState('refused', refused);
      else timer = setTimeout(open, Math.min(2 ** failures++, LONGEST_WAIT) * 1000);
    };
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const visibility = () => {
    if (document.hidden) {
      close();
      onState('paused');
    } else {
      open();
    }
  };
  document.addEventListener('visibilitychange', visibility, { signal });
  signal.addEventListener('abort', close, { once: true });
  open();
}
