import { html } from '/lib/lit-html/lit-html.js';
import * as ui from './ui.js';

export const title = params => params.domain;

export function view(context) {
  return html`<h1 tabindex="-1">${ui.text(context.params.domain)}</h1>`;
}
