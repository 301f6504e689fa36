import { html } from '/lib/lit-html/lit-html.js';

export const list = {
  title: () => 'Reporters',
  view: () => html`<h1 tabindex="-1">Reporters</h1>`,
};

export const one = {
  title: () => 'Reporter',
  view: () => html`<h1 tabindex="-1">Reporter</h1>`,
};
