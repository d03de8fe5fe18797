// Text for people, and elements made of text. Nothing here ever parses markup.

const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The text with every character that has no look of its own written as an escape. */
const visible = (text) => text.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

const cut = (text, max) => (text.length > max ? text.slice(0, max - 1) + '…' : text);

const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** A length of time in nanoseconds, with the unit that fits. */
const span = (ns) => {
  const [value, unit] = ns < 1e3 ? [ns, 'ns'] : ns < 1e6 ? [ns / 1e3, 'µs'] : ns < 1e9 ? [ns / 1e6, 'ms'] : [ns / 1e9, 's'];
  return `${value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2)} ${unit}`;
};

const moment = (ns, decimals = 3) => `${(ns / 1e9).toFixed(decimals)} s`;

const byId = (id) => document.getElementById(id);

/** An element with attributes or listeners, and children that are elements or text. */
const el = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};
