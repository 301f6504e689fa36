import { html } from '/lib/lit-html/lit-html.js';

export const title = () => 'Sign in';

export function view() {
  return html`<h1 tabindex="-1">Sign in</h1>`;
}
