import { html } from '/lib/lit-html/lit-html.js';

export const title = () => 'Overview';

export function view() {
  return html`<h1 tabindex="-1">Overview</h1>`;
}
