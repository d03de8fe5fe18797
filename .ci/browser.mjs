#!/usr/bin/env node
// Opens reports in Chromium through its driver and uses them as a person would: zooms, pans,
// filters, follows links, presses keys. Fails on a console error, on a request that leaves the
// file, and on anything that does not do what it should.
//
//   .ci/browser FOLDER [SCREENSHOTS]
//
// FOLDER holds the pages that the tests `report_*` keep. Needs chromium and chromedriver
// (Debian: chromium, chromium-driver) and node 18.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createServer } from 'node:net';
import assert from 'node:assert/strict';

const [folder, shots] = process.argv.slice(2);
if (!folder) {
  console.error('usage: .ci/browser FOLDER [SCREENSHOTS]');
  process.exit(254);
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** A browser session, spoken to by the WebDriver protocol. */
class Browser {
  static async open() {
    const browser = new Browser();
    const port = await freePort();
    browser.profile = mkdtempSync(join(tmpdir(), 'quorate-browser-'));
    browser.driver = spawn('chromedriver', [`--port=${port}`, '--log-level=SEVERE'], { stdio: 'ignore' });
    browser.base = `http://127.0.0.1:${port}`;
    await browser.untilReady();
    const args = [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-quic',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars',
      '--window-size=1280,900', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows', `--user-data-dir=${browser.profile}`,
    ];
    const capabilities = {
      alwaysMatch: {
        browserName: 'chrome',
        'goog:chromeOptions': { args },
        'goog:loggingPrefs': { browser: 'ALL', performance: 'ALL' },
      },
    };
    const { sessionId } = await browser.send('POST', '/session', { capabilities });
    browser.session = `/session/${sessionId}`;
    return browser;
  }

  async untilReady() {
    for (let tries = 0; tries < 200; tries++) {
      try {
        if ((await this.send('GET', '/status')).ready) return;
      } catch {
        // Not listening yet.
      }
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error('chromedriver does not answer');
  }

  async send(method, path, body) {
    const init = { method, headers: { 'content-type': 'application/json' } };
    if (body) init.body = JSON.stringify(body);
    const { value } = await (await fetch(this.base + path, init)).json();
    if (value?.error) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  }

  /** Runs a function in the page, with arguments that are data; it may be async. */
  run(body, ...args) {
    const script = `const done = arguments[arguments.length - 1];
      Promise.resolve((${body})(...[...arguments].slice(0, -1))).then(done, (e) => done({ thrown: String(e) }));`;
    return this.send('POST', `${this.session}/execute/async`, { script, args }).then((value) => {
      if (value?.thrown) throw new Error(value.thrown);
      return value;
    });
  }

  async goto(path, fragment = '') {
    await this.send('POST', `${this.session}/url`, { url: 'about:blank' });
    await this.logs();
    await this.send('POST', `${this.session}/url`, { url: `file://${path}${fragment}` });
    await this.until(() => document.documentElement.dataset.ready === 'true' || document.getElementById('shown').textContent === 'no operations');
  }

  async until(condition, ...args) {
    for (let tries = 0; tries < 300; tries++) {
      if (await this.run(condition, ...args)) return;
      await new Promise((done) => setTimeout(done, 30));
    }
    throw new Error(`never: ${condition}`);
  }

  act(...sources) {
    return this.send('POST', `${this.session}/actions`, { actions: sources });
  }

  /** Two frames, after which everything that was asked for is drawn. */
  settle() {
    return this.run(() => new Promise((done) => {
      // A headless browser may stop making frames when nothing changes.
      setTimeout(done, 1000);
      requestAnimationFrame(() => requestAnimationFrame(done));
    }));
  }

  async press(key) {
    const actions = [{ type: 'keyDown', value: key }, { type: 'keyUp', value: key }];
    await this.act({ type: 'key', id: 'keyboard', actions });
    await this.settle();
  }

  async wheel(x, y, deltaY) {
    await this.act({ type: 'wheel', id: 'wheel', actions: [{ type: 'scroll', x, y, deltaX: 0, deltaY, duration: 0 }] });
    await this.settle();
  }

  async pointer(...steps) {
    await this.act({ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions: steps });
    await this.settle();
  }

  async logs() {
    const log = (type) => this.send('POST', `${this.session}/se/log`, { type });
    const console = (await log('browser')).filter((entry) => entry.level === 'SEVERE' || entry.level === 'WARNING');
    const requests = (await log('performance'))
      .map((entry) => JSON.parse(entry.message).message)
      .filter((message) => message.method === 'Network.requestWillBeSent')
      .map((message) => message.params.request.url);
    return { console, requests };
  }

  /** What must hold of every page, whatever was done with it. */
  async clean(path) {
    const { console, requests } = await this.logs();
    assert.deepEqual(console, [], 'the console is silent');
    const outside = requests.filter((url) => url !== `file://${path}` && !url.startsWith('data:') && url !== 'about:blank');
    assert.deepEqual(outside.map((url) => url.split('#')[0]).filter((url) => url !== `file://${path}`), [], 'no request leaves the file');
  }

  async screenshot(name) {
    if (!shots) return;
    writeFileSync(join(shots, name), Buffer.from(await this.send('GET', `${this.session}/screenshot`), 'base64'));
  }

  /** Shows pages as if the person preferred this scheme. */
  scheme(value) {
    const params = { features: [{ name: 'prefers-color-scheme', value }] };
    return this.send('POST', `${this.session}/goog/cdp/execute`, { cmd: 'Emulation.setEmulatedMedia', params });
  }

  async close() {
    await this.send('DELETE', this.session).catch(() => {});
    this.driver.kill();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const text = (id) => `() => document.getElementById('${id}').textContent`;
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
const fill = (name, value) => {
  const field = document.getElementById('filter').elements[name];
  if (field.type === 'checkbox') field.checked = value;
  else field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};

/** Zooms, pans, filters, selects. */
const useTimeline = async (browser) => {
  const chart = await browser.run(box, 'chart');
  const middle = { x: chart.x + Math.round(chart.width / 2), y: chart.y + 110 };
  await browser.run(() => document.getElementById('chart').focus());
  await browser.press('0');
  const states = [await browser.run(pixels)];
  const changed = async (what) => {
    const now = await browser.run(pixels);
    assert.ok(!states.includes(now), `${what} changes the picture`);
    states.push(now);
  };
  for (let turn = 0; turn < 12; turn++) await browser.wheel(middle.x, middle.y, -300);
  await changed('the wheel');
  const move = (x, y) => ({ type: 'pointerMove', x, y, duration: 0 });
  await browser.pointer(move(middle.x, middle.y), { type: 'pointerDown', button: 0 }, move(middle.x - 80, middle.y), { type: 'pointerUp', button: 0 });
  await changed('a drag');
  await browser.run(() => document.getElementById('chart').focus());
  await browser.press('\uE014');
  await changed('the right arrow');
  await browser.press('0');
  assert.equal(await browser.run(pixels), states[0], '0 shows all again');

  const before = await browser.run(text('shown'));
  await browser.run(fill, 'ok', false);
  await browser.until((was) => document.getElementById('shown').textContent !== was, before);
  assert.match(await browser.run(text('shown')), / of /);
  await browser.run(() => document.querySelector('#filter button[type=reset]').click());
  await browser.until((was) => document.getElementById('shown').textContent === was, before);
};

/** Follows a link to an operation and selects its neighbours. */
const followLinks = async (browser, path) => {
  await browser.goto(path, '#op=40');
  assert.match(await browser.run(text('details')), /^Operation \d+: /);
  const lines = (await browser.run(() => document.querySelector('#details pre').textContent)).split('\n');
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

const findAnomaly = async (browser) => {
  await browser.press('n');
  const named = await browser.run(() => document.querySelector('#details a[href^="#anomaly-"]')?.textContent);
  assert.equal(named, 'Named by finding 1');
  const index = await browser.run(() => {
    const steps = document.querySelector('.steps');
    steps.focus();
    return steps.querySelectorAll('tbody tr').length;
  });
  assert.ok(index > 1, 'a linearization with steps');
  const current = () => document.querySelector('.steps tr.current td').textContent;
  const last = await browser.run(current);
  await browser.press('\uE013');
  assert.notEqual(await browser.run(current), last, 'the up arrow walks back');
};

/** The chart takes the colours of the scheme, and takes them anew when it changes. */
const showSchemes = async (browser, path, name) => {
  const seen = new Set();
  for (const scheme of ['light', 'dark']) {
    await browser.scheme(scheme);
    await browser.goto(path);
    await browser.screenshot(name.replace('.html', `-${scheme}.png`));
    await browser.goto(path, '#op=3000');
    await browser.settle();
    await browser.screenshot(name.replace('.html', `-timeline-${scheme}.png`));
    seen.add(await browser.run(pixels));
  }
  await browser.scheme('light');
  await browser.settle();
  assert.equal(seen.size, 2, 'light and dark differ');
  assert.ok(seen.has(await browser.run(pixels)), 'the chart follows the scheme');
};

/** Opening and panning a large report, in milliseconds. */
const measure = async (browser, path) => {
  const begun = performance.now();
  await browser.goto(path);
  const open = performance.now() - begun;
  await browser.run(box, 'chart');
  const frames = await browser.run(async () => {
    const chart = document.getElementById('chart');
    chart.focus();
    const key = (name) => chart.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    const times = [];
    const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(() => done(performance.now()), 1000); });
    let last = await frame();
    for (let turn = 0; turn < 90; turn++) {
      if (turn % 15 === 0) key('+');
      key(turn % 2 ? 'ArrowLeft' : 'ArrowRight');
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const at = (q) => frames[Math.floor(q * (frames.length - 1))].toFixed(1);
  console.log(`  opened in ${Math.round(open)} ms; frames: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms`);
  assert.ok(open < Number(process.env.QUORATE_OPEN_MS ?? 10_000), `opened in ${Math.round(open)} ms`);
};

const browser = await Browser.open();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => browser.close().finally(() => process.exit(255)));
let passed = 0, failed = 0;
try {
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.html')).sort()) {
    const path = resolve(folder, name);
    console.log(name);
    try {
      await measure(browser, path);
      const empty = (await browser.run(text('shown'))) === 'no operations';
      if (!empty) await useTimeline(browser);
      if (await browser.run(() => document.querySelector('.steps') !== null)) await findAnomaly(browser);
      await browser.clean(path);
      if (!empty && name !== 'hostile.html') await followLinks(browser, path);
      if (!empty) await showSchemes(browser, path, name);
      assert.equal(await browser.run(() => window.hacked), null, 'nothing hostile ran');
      await browser.clean(path);
      passed++;
    } catch (error) {
      failed++;
      console.error(`  FAILED ${error.stack}`);
    }
  }
} finally {
  await browser.close();
}
if (passed + failed === 0) console.error(`there is no report in ${folder}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
