import { html } from '/lib/lit-html/lit-html.js';

export const title = () => 'Report';

export function view() {
  return html`<h1 tabindex="-1">Report</h1>`;
}
