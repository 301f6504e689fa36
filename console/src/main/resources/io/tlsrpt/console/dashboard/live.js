import { html } from '/lib/lit-html/lit-html.js';

export const title = () => 'Live';

export function view() {
  return html`<h1 tabindex="-1">Live</h1>`;
}
