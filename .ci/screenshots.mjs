#!/usr/bin/env node
// README's pictures: parts of the examples' reports, and the list of runs.
//
//   .ci/screenshots.mjs QUORATE EXAMPLES

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser, serveRuns } from './chromium.mjs';

const [quorate, examples] = process.argv.slice(2);
const pictures = join(examples, 'pictures');
mkdirSync(pictures, { recursive: true });

const browser = await Browser.start();
const server = await serveRuns(quorate, examples);
/** Shows a page from the element on, and keeps what is seen. */
const shoot = async (name, path, selector, act) => {
  if (path.startsWith('/compare')) {
    // The page's policy lets no script run, so none can say when it is drawn.
    await browser.visit(`${server.base}${path}`);
    await new Promise((done) => setTimeout(done, 1000));
  } else {
    await browser.open(`${server.base}${path}`);
    if (act) await browser.run(act);
    await browser.run((wanted) => {
      document.documentElement.style.scrollBehavior = 'auto';
      if (wanted) document.querySelector(wanted).scrollIntoView({ block: 'start' });
    }, selector);
    await browser.settle();
  }
  await browser.screenshot(join(pictures, `${name}.png`));
};
try {
  await browser.size(1280, 1000);
  const stale = '/runs/raft-kv-register/stale-read/report.html';
  await shoot('report', stale, null);
  await shoot('timeline', stale, '#timeline', () => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true })));
  await browser.size(1280, 620);
  await shoot('linearization', stale, '.linearization', () => document.querySelector('.linearization .steps').focus());
  await shoot('cycle', '/runs/raft-kv-append/write-skew/report.html', '.cycle-view', () => document.querySelector('.cycle').focus());
  await browser.size(1280, 720);
  await shoot('comparison', '/compare?run=raft-kv-register%2Fcorrect&run=raft-kv-register%2Fstale-read', null);
  await browser.size(1280, 420);
  await shoot('runs', '/', null);
} finally {
  await browser.close();
  server.stop();
}
