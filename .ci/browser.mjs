#!/usr/bin/env node
// Opens reports and the list of runs in Chromium and uses them as a person would: zooms, pans,
// filters, follows links, steps, sorts. Fails on a console error, on a request that leaves the
// page, and on anything that does not do what it should. Waits for conditions, never for a time.
//
//   .ci/browser.mjs REPORTS QUORATE RESULTS COMPARISON
//
// REPORTS holds the pages that the tests `report_*` keep and one of a run of the order service,
// RESULTS runs that QUORATE serves, COMPARISON is a page of `quorate compare`.

import { readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import assert from 'node:assert/strict';
import { Browser, serveRuns } from './chromium.mjs';

const [reports, quorate, results, comparison] = process.argv.slice(2);
if (!comparison) {
  console.error('usage: .ci/browser.mjs REPORTS QUORATE RESULTS COMPARISON');
  process.exit(254);
}

/** How long the largest report may take to open, by its own clock. */
// No limit unless one is asked for: other work on the machine decides how long it takes.
const OPEN_MS = Number(process.env.QUORATE_OPEN_MS ?? Infinity);
const [ENTER, UP, RIGHT, DOWN] = ['\uE007', '\uE013', '\uE014', '\uE015'];

const text = (selector) => document.querySelector(selector)?.textContent;
const count = (selector) => document.querySelectorAll(selector).length;
const focus = (selector) => document.querySelector(selector).focus();
const box = (id) => {
  const element = document.getElementById(id);
  element.scrollIntoView({ block: 'center', behavior: 'instant' });
  const { x, y, width, height } = element.getBoundingClientRect();
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
};
/** A number that changes when the chart does. */
const pixels = () => {
  const picture = document.getElementById('chart').toDataURL();
  let sum = 0;
  for (let at = 0; at < picture.length; at++) sum = (sum * 31 + picture.charCodeAt(at)) >>> 0;
  return sum;
};
const fill = (name, value, form = 'filter') => {
  const field = document.getElementById(form).elements[name];
  if (field.type === 'checkbox') field.checked = value;
  else field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};

/** Zooms, pans, filters. */
const useTimeline = async (browser) => {
  const chart = await browser.run(box, 'chart');
  const middle = { x: chart.x + Math.round(chart.width / 2), y: chart.y + 110 };
  await browser.run(focus, '#chart');
  await browser.press('0');
  const states = [await browser.run(pixels)];
  const changed = async (what) => {
    const now = await browser.run(pixels);
    assert.ok(!states.includes(now), `${what} changes the picture`);
    states.push(now);
  };
  for (let turn = 0; turn < 6; turn++) await browser.wheel(middle.x, middle.y, -300);
  await changed('the wheel');
  const move = (x, y) => ({ type: 'pointerMove', x, y, duration: 0 });
  await browser.pointer(move(middle.x, middle.y), { type: 'pointerDown', button: 0 }, move(middle.x - 80, middle.y), { type: 'pointerUp', button: 0 });
  await changed('a drag');
  await browser.run(focus, '#chart');
  await browser.press(RIGHT);
  await changed('the right arrow');
  await browser.press('0');
  assert.equal(await browser.run(pixels), states[0], '0 shows all again');

  const before = await browser.run(text, '#shown');
  await browser.run(fill, 'ok', false);
  await browser.until((was) => document.getElementById('shown').textContent !== was, before);
  assert.match(await browser.run(text, '#shown'), / of /);
  await browser.run(() => document.querySelector('#filter button[type=reset]').click());
  await browser.until((was) => document.getElementById('shown').textContent === was, before);
};

/** Follows a link to an operation and selects its neighbours. */
const followLinks = async (browser, url) => {
  await browser.open(`${url}#op=40`);
  assert.match(await browser.run(text, '#details'), /^Operation \d+: /);
  const lines = (await browser.run(text, '#details pre')).split('\n');
  const events = lines.map((line) => JSON.parse(line));
  assert.ok(events.some((event) => event.index === 40), 'the operation of event 40');
  assert.equal(events[0].type, 'invoke');
  await browser.press(']');
  const next = await browser.run(() => JSON.parse(document.querySelector('#details pre').textContent.split('\n')[0]));
  assert.equal(next.process % 10, events[0].process % 10, 'the next operation of the same client');
  assert.ok(next.index > events[0].index);
  assert.equal(await browser.run(() => location.hash), `#op=${next.index}`);
  await browser.press('f');
  await browser.press('/');
  assert.equal(await browser.run(() => document.activeElement.name), 'text');
};

/** The next finding, from the keyboard, and back to its card by its link. */
const findAnomaly = async (browser) => {
  await browser.run(focus, '#chart');
  await browser.press('n');
  assert.equal(await browser.run(text, '#details a[href^="#anomaly-"]'), 'Named by finding 1');
  await browser.run(() => document.querySelector('#details a[href^="#anomaly-"]').click());
  await browser.until(() => location.hash === '#anomaly-1');
  assert.equal(await browser.run(count, '.card:target'), 1);
};

/** Steps through a linearization; the picture follows. */
const stepOrder = async (browser) => {
  await browser.pointer({ type: 'pointerMove', x: 1, y: 1, duration: 0 });
  await browser.run(focus, '.linearization .steps');
  const current = () => browser.run(text, '.linearization tr.current td');
  assert.equal(await current(), '✗', 'it begins at what could not be placed');
  const seen = new Set();
  for (let turn = 0; turn < 3; turn++) {
    await browser.press(UP);
    seen.add(await current());
    assert.equal(await browser.run(count, 'svg.plot .effect.current'), 1, 'its moment is marked');
  }
  assert.equal(seen.size, 3, 'the up arrow walks back');
};

/** Walks along the edges of a cycle; each is told in words. */
const walkCycle = async (browser) => {
  await browser.pointer({ type: 'pointerMove', x: 1, y: 1, duration: 0 });
  await browser.run(focus, '.cycle');
  const edges = await browser.run(() => document.querySelector('.cycle').querySelectorAll('.edge').length);
  const told = new Set();
  for (let turn = 0; turn < edges; turn++) {
    told.add(await browser.run(text, '.cycle-steps li.current'));
    assert.equal(await browser.run(count, '.edge.current'), 1);
    await browser.press(RIGHT);
  }
  assert.equal(told.size, edges, 'each edge has a sentence');
  assert.ok(!told.has(undefined));
};

/** Finds an order, opens it, walks through its story, comes to it by its link. */
const useOrders = async (browser, url) => {
  const rows = '#order-list tbody tr';
  const cells = (at) => [...document.querySelectorAll('#order-list tbody tr')].map((row) => row.cells[at].textContent);
  const all = await browser.run(count, rows);
  assert.ok(all > 10, `${all} orders`);
  await browser.run(fill, 'end', 'refused', 'order-filter');
  await browser.run(fill, 'compensated', '1', 'order-filter');
  const refused = await browser.run(cells, 4);
  assert.ok(refused.length > 0 && refused.length < all && refused.every((end) => end === 'refused'), 'refused ones alone');
  assert.ok((await browser.run(cells, 5)).every((told) => told === 'yes'), 'compensated ones alone');
  assert.match(await browser.run(text, '#orders-shown'), / of /);
  await browser.run(() => document.querySelector('#order-filter button[type=reset]').click());
  await browser.until((all) => document.querySelectorAll('#order-list tbody tr').length === all, all);

  const id = (await browser.run(cells, 0))[7].split(' ')[0];
  await browser.run(() => document.getElementById('chart').focus());
  await browser.press('o');
  assert.equal(await browser.run(() => document.activeElement.form?.id), 'order-filter', 'o searches');
  await browser.run(fill, 'text', id, 'order-filter');
  await browser.run((id) => document.getElementById('order-filter').elements.text.value === id, id);
  await browser.press(ENTER);
  const first = (await browser.run(cells, 0))[0].split(' ')[0];
  assert.equal(await browser.run(() => location.hash), `#order=${first}`);
  assert.match(await browser.run(text, '#saga h3'), new RegExp(`^Order ${first}: `));
  await browser.run(fill, 'text', '', 'order-filter');
  await browser.run(focus, '#order-list');
  await browser.press(DOWN);
  await browser.press(ENTER);
  await browser.until((was) => location.hash !== was && location.hash.startsWith('#order='), `#order=${first}`);

  await browser.open(`${url}#order=${encodeURIComponent(id)}`);
  assert.match(await browser.run(text, '#saga h3'), new RegExp(`^Order ${id}: `), 'a link opens its order');
  assert.equal(await browser.run(count, 'tr.chosen'), 1);
  const told = new Set();
  await browser.run(focus, '#saga .story');
  for (let turn = 0; turn < 4; turn++) {
    await browser.press(DOWN);
    told.add(await browser.run(text, '#saga .told'));
    assert.equal(await browser.run(count, '#saga .msg.current'), 1);
  }
  assert.equal(told.size, 4, 'the down arrow walks on');
  await browser.run(() => document.querySelector('#saga a[href^="#op="]').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })));
  await browser.until(() => location.hash.startsWith('#op=') && !document.getElementById('details').hidden);
  if (await browser.run(count, '.card [data-story]')) {
    const stories = Math.min(await browser.run(count, '.card [data-story]'), 5);
    for (let at = 0; at < stories; at++) {
      await browser.run((at) => document.querySelectorAll('.card [data-story]')[at].scrollIntoView({ behavior: 'instant' }), at);
      await browser.until((at) => document.querySelectorAll('.card [data-story]')[at].querySelector('svg .msg') !== null, at);
    }
    assert.ok(await browser.run(count, '.card [data-story] svg rect.band') > 0, 'with the faults in force');
  }
};

/** Opens every order of a page; whatever they are called, nothing else happens. */
const openOrders = async (browser) => {
  const orders = await browser.run(() => document.querySelectorAll('#order-list tbody a[href^="#order="]').length);
  assert.ok(orders > 0, 'there are orders');
  for (let at = 0; at < orders; at++) {
    await browser.run((at) => document.querySelectorAll('#order-list tbody a[href^="#order="]')[at].click(), at);
    await browser.until((at) => document.querySelectorAll('#order-list tbody tr')[at]?.classList.contains('chosen'), at);
    assert.ok(await browser.run(count, '#saga svg .msg') > 0);
  }
};

/** What is closed is there on paper, by the page's style and by its script, and closed again after. */
const print = async (browser) => {
  const hidden = () => [...document.querySelectorAll('details:not([open])')]
    .filter((details) => [...details.children].every((child) => child.tagName === 'SUMMARY' || !child.checkVisibility({ contentVisibilityAuto: true }))).length;
  const closed = await browser.run(count, 'details:not([open])');
  assert.ok(closed > 0 && (await browser.run(hidden)) === closed, 'something is closed');
  await browser.media('print');
  await browser.settle();
  assert.equal(await browser.run(hidden), 0, 'the style opens all');
  await browser.media('');
  await browser.run(() => window.addEventListener('beforeprint', () => {
    window.closedOnPaper = document.querySelectorAll('details:not([open])').length;
  }, { once: true }));
  await browser.toPaper();
  assert.equal(await browser.run(() => window.closedOnPaper), 0, 'the script opens all');
  assert.equal(await browser.run(count, 'details:not([open])'), closed, 'and closes them again');
};

/** A comparison has no scripts: what it shows is all there is, whatever its columns are called. */
const useComparison = async (browser) => {
  const url = `file://${resolve(comparison)}`;
  await browser.visit(url);
  assert.equal(await browser.run(text, 'h1'), 'Which models hold');
  const columns = await browser.run(count, 'thead th[scope=col]');
  assert.equal(columns, 4, 'a column for each history');
  assert.ok(await browser.run(count, 'tbody td.no') > 0 && await browser.run(count, 'tbody td.yes') > 0);
  assert.equal(await browser.run(count, 'figure svg'), columns - 1, 'a lattice for each');
  assert.match(await browser.run(text, 'main'), /<img src=x onerror=window\.hacked=1>/, 'hostile texts are texts');
  assert.equal(await browser.run(() => document.scripts.length + document.images.length), 0);
  assert.equal(await browser.run(() => window.hacked), null, 'nothing hostile ran');
  await browser.clean(url);
};

/** The chart takes the colours of the scheme, and takes them anew when it changes. */
const changeScheme = async (browser) => {
  const seen = [];
  for (const scheme of ['light', 'dark', 'light']) {
    await browser.scheme(scheme);
    await browser.until((dark) => matchMedia('(prefers-color-scheme: dark)').matches === dark, scheme === 'dark');
    await browser.settle();
    seen.push(await browser.run(pixels));
  }
  assert.notEqual(seen[0], seen[1], 'light and dark differ');
  assert.equal(seen[0], seen[2], 'the chart follows the scheme');
};

/** How long a report took to open, by its own clock, and how long frames take when it is panned. */
const measure = async (browser, url) => {
  await browser.open(url);
  const opened = await browser.run(() => Number(document.documentElement.dataset.readyMs));
  const frames = await browser.run(async () => {
    const chart = document.getElementById('chart');
    const key = (name) => chart.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    const times = [];
    const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(() => done(performance.now()), 1000); });
    let last = await frame();
    for (let turn = 0; turn < 60; turn++) {
      if (turn % 15 === 0) key('+');
      key(turn % 2 ? 'ArrowLeft' : 'ArrowRight');
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const at = (q) => frames[Math.floor(q * (frames.length - 1))].toFixed(1);
  console.log(`  opened in ${opened} ms; frames: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms`);
  assert.ok(opened < OPEN_MS, `opened in ${opened} ms`);
};

const useReport = async (browser, name) => {
  const url = `file://${resolve(reports, name)}`;
  await measure(browser, url);
  const has = async (selector) => (await browser.run(count, selector)) > 0;
  if (await has('#stage:not([hidden])')) {
    await useTimeline(browser);
    await changeScheme(browser);
  }
  if (name === 'hostile-orders.html') await openOrders(browser);
  if (name === 'orders.html') await useOrders(browser, url);
  if (name === 'stale-read.html') await print(browser);
  if (name === 'clocks.html') assert.equal(await browser.run(count, 'svg .clock'), 4, 'a piece for each clock');
  if (!name.startsWith('hostile')) {
    if (await has('.card')) await findAnomaly(browser);
    if (await has('.linearization')) await stepOrder(browser);
    if (await has('.cycle')) await walkCycle(browser);
    if (['valid.html', 'stale-read.html'].includes(name)) await followLinks(browser, url);
  }
  assert.equal(await browser.run(() => window.hacked), null, 'nothing hostile ran');
  await browser.clean(url);
};

/** Sorts and filters the list of runs, opens a report, judges again, compares, looks at the live page. */
const useServer = async (browser, base) => {
  await browser.open(`${base}/`);
  const column = (at) => [...document.querySelectorAll('#runs tbody tr:not([hidden])')].map((row) => row.cells[at].dataset.key);
  const all = await browser.run(count, '#runs tbody tr');
  assert.ok(all > 1, 'several runs');
  const sort = () => document.querySelector('#runs button[data-column="9"]').click();
  await browser.run(sort);
  const down = (await browser.run(column, 9)).map(Number);
  assert.deepEqual(down, [...down].sort((a, b) => b - a), 'most operations first');
  await browser.run(sort);
  assert.deepEqual((await browser.run(column, 9)).map(Number), [...down].reverse(), 'fewest first');
  assert.equal(await browser.run(text, '#runs th[aria-sort=ascending]'), 'operations');
  await browser.run(fill, 'verdict', 'invalid');
  const invalid = (await browser.run(column, 0)).length;
  assert.ok(invalid > 0 && invalid < all, `${invalid} of ${all} runs are invalid`);
  assert.match(await browser.run(text, '#shown'), new RegExp(`^${invalid} of ${all} `));
  await browser.press('/');
  assert.equal(await browser.run(() => document.activeElement.name), 'text');
  await browser.clean(base);

  await browser.run(() => document.querySelector('#runs tbody tr:not([hidden]) form button').click());
  await browser.until(() => location.hash.length > 1 && document.querySelector('tr:target') !== null);
  await browser.run(() => document.querySelector('tr:target th a').click());
  await browser.until(() => document.querySelector('.top.invalid') !== null && document.documentElement.dataset.ready === 'true');
  await findAnomaly(browser);
  assert.equal(await browser.run(() => window.origin), 'null', 'a report is no page of the server');
  await browser.clean(base);

  await browser.open(`${base}/`);
  await browser.run(() => {
    for (const tick of [...document.querySelectorAll('#runs input[type=checkbox]')].slice(0, 2)) tick.click();
    document.querySelector('#compare button').click();
  });
  await browser.until(() => document.querySelector('h1')?.textContent === 'Which models hold');
  await browser.clean(base);

  await browser.open(`${base}/live`);
  assert.match(await browser.run(text, '#figure-verdict'), /VALID|UNKNOWN/);
  assert.notEqual(await browser.run(text, '#figure-invoked'), '0');
  await browser.clean(base);
};

const browser = await Browser.start();
const server = await serveRuns(quorate, results);
const close = () => browser.close().finally(() => server.stop());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => close().finally(() => process.exit(255)));
let passed = 0, failed = 0;
const attempt = async (name, test) => {
  const begun = performance.now();
  try {
    console.log(name);
    await test();
    passed++;
  } catch (error) {
    failed++;
    console.error(`  FAILED ${error.stack}`);
  }
  console.log(`  ${((performance.now() - begun) / 1000).toFixed(1)} s`);
};
try {
  // The largest last: what follows it would wait for the browser to forget it.
  const pages = readdirSync(reports).filter((name) => name.endsWith('.html'));
  pages.sort((a, b) => statSync(resolve(reports, a)).size - statSync(resolve(reports, b)).size);
  assert.ok(pages.length > 0, `there is no report in ${reports}`);
  await attempt('the list of runs', () => useServer(browser, server.base));
  await attempt('a comparison', () => useComparison(browser));
  for (const name of pages) await attempt(name, () => useReport(browser, name));
} finally {
  await close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
