import { html } from '/lib/lit-html/lit-html.js';

export const list = {
  title: () => 'Rejected',
  view: () => html`<h1 tabindex="-1">Rejected</h1>`,
};

export const one = {
  title: () => 'Rejected record',
  view: () => html`<h1 tabindex="-1">Rejected record</h1>`,
};
