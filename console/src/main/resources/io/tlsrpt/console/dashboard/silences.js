import { html } from '/lib/lit-html/lit-html.js';

export const title = () => 'Silences';

export function view() {
  return html`<h1 tabindex="-1">Silences</h1>`;
}
