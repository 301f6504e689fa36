// Who acts. Whoever signed in is known; where nobody has to, people say who they are, and the page remembers it.
import { html, nothing } from '/lib/lit-html/lit-html.js';

const REMEMBERED = 'name';

function known(context) {
  return context.session?.authentication !== 'none';
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? '';
  } catch {
    return '';
  }
}

/** Asks for a name where the server does not know one. */
export function byField(context) {
  if (known(context)) return nothing;
  return html`<label class="field block"><span class="field-name">Your name</span><input name="by" value=${remembered()}
    maxlength="200" autocomplete="name" spellcheck="false" placeholder="api"></label>`;
}

/** The member `by` of a request, from a form that has the field. */
export function by(context, form) {
  if (known(context)) return { by: context.session.name };
  const name = String(form.get('by') ?? '').trim();
  try {
    if (name) localStorage.setItem(REMEMBERED, name);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // storage is switched off: it is asked for again
  }
  return name ? { by: name } : {};
}
