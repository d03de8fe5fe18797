// Chromium as tests drive it: a session over its driver's WebDriver protocol. Needs chromium and
// chromedriver (Debian: chromium, chromium-driver) and node 18.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';

/** How long a condition may take to come true on a busy machine. */
const PATIENCE_MS = 60_000;

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** A browser session, spoken to by the WebDriver protocol. */
export class Browser {
  static async start() {
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
    for (let tries = 0; tries < 600; tries++) {
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

  /** Opens a page and waits until it is loaded. */
  async visit(url) {
    await this.send('POST', `${this.session}/url`, { url: 'about:blank' });
    await this.logs();
    await this.send('POST', `${this.session}/url`, { url });
  }

  /** Opens a page and waits until its scripts say that it is ready. */
  async open(url) {
    await this.visit(url);
    await this.until(() => document.documentElement.dataset.ready === 'true');
  }

  async until(condition, ...args) {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS) {
      // Between two pages there may be nothing to ask.
      if (await this.run(condition, ...args).catch(() => false)) return;
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
  async clean(own) {
    const { console, requests } = await this.logs();
    assert.deepEqual(console, [], 'the console is silent');
    const outside = requests.filter((url) => !url.startsWith(own) && !url.startsWith('data:') && url !== 'about:blank');
    assert.deepEqual(outside, [], `no request leaves ${own}`);
  }

  async screenshot(path) {
    writeFileSync(path, Buffer.from(await this.send('GET', `${this.session}/screenshot`), 'base64'));
  }

  size(width, height) {
    return this.send('POST', `${this.session}/window/rect`, { width, height });
  }

  /** Shows pages as if the person preferred this scheme. */
  scheme(value) {
    return this.command('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
  }

  /** Shows pages as they are on this medium; on the screen again by ''. */
  media(media) {
    return this.command('Emulation.setEmulatedMedia', { media });
  }

  /** Prints the page, to nowhere. */
  toPaper() {
    return this.command('Page.printToPDF', {});
  }

  command(cmd, params) {
    return this.send('POST', `${this.session}/goog/cdp/execute`, { cmd, params });
  }

  async close() {
    await this.send('DELETE', this.session).catch(() => {});
    this.driver.kill();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A server of runs as it is, and where it listens. */
export const serveRuns = async (quorate, results) => {
  const server = spawn(quorate, ['serve', '--results', results, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const base = await new Promise((done, fail) => {
    server.stdout.once('data', (line) => done(String(line).trim()));
    server.once('exit', (code) => fail(new Error(`quorate serve ended with ${code}`)));
  });
  return { base, stop: () => server.kill() };
};
