// A token for a cookie that only the server can read.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { send } from './api.js';
import * as ui from './ui.js';

export const title = () => 'Sign in';

export function view(context) {
  const state = context.state;
  const submit = async event => {
    event.preventDefault();
    const field = event.target.elements.token;
    if (state.busy) return;
    state.busy = true;
    state.error = undefined;
    context.update();
    try {
      await send('POST', '/api/v1/session', { token: field.value.trim() });
      // a new start: what the page knows belongs to whom it was asked for
      location.replace(back(context.query.get('back')));
      return;
    } catch (failed) {
      state.error = failed;
      field.select();
    }
    state.busy = false;
    context.update();
  };
  return html`<div class="sign-in card"><div class="card-body">
    <h1 tabindex="-1">Sign in</h1>
    <form @submit=${submit}>
      <label class="field block"><span class="field-name">Token</span><input type="password" name="token" required autofocus autocomplete="off"
        autocapitalize="none" spellcheck="false" maxlength="4096" aria-describedby="token-error" aria-invalid=${state.error ? 'true' : nothing}></label>
      <div id="token-error">${state.error ? state.error.status === 401
        ? html`<div class="failure" role="alert">${ui.icon('warning')}<div><p class="failure-title">This token is not known</p>
            <p>It may be mistyped, cut off while copying, or taken out of the configuration.</p></div></div>`
        : ui.failure(state.error) : nothing}</div>
      <button class="button primary" ?disabled=${state.busy === true}>Sign in</button>
    </form>
    <p class="note">Tokens stand in the server’s configuration, hashed; whoever runs it gives you one. This browser keeps it as a cookie that no script can read
      until you sign out.</p>
  </div></div>`;
}

/** A path of this origin, whatever somebody wrote into the address. */
export function back(wanted) {
  try {
    const address = new URL(wanted ?? '/', location.origin);
    if (wanted?.startsWith('/') && address.origin === location.origin && address.pathname !== '/sign-in') {
      return address.href; // a path alone might begin with two slashes, and lead elsewhere
    }
  } catch {
    // no address at all
  }
  return '/';
}
