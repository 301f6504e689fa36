import { html } from '/lib/lit-html/lit-html.js';

export const list = {
  title: () => 'Alerts',
  view: () => html`<h1 tabindex="-1">Alerts</h1>`,
};

export const one = {
  title: () => 'Alert',
  view: () => html`<h1 tabindex="-1">Alert</h1>`,
};
