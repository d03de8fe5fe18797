// Puts everything together once the page is there.

const listenCopy = () => {
  for (const button of document.querySelectorAll('[data-copy]')) {
    const source = byId(button.dataset.copy);
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = 'Copied';
      } catch {
        // Without the clipboard the text is selected, ready to be copied by hand.
        getSelection().selectAllChildren(source);
        button.textContent = 'Selected';
      }
      setTimeout(() => (button.textContent = 'Copy'), 1500);
    });
  }
};

/** Says that everything is there, and how long after the page was asked for. */
const ready = () => {
  document.documentElement.dataset.readyMs = String(Math.round(performance.now()));
  document.documentElement.dataset.ready = 'true';
};

const start = async () => {
  listenCopy();
  listenSteps();
  listenLamport();
  listenCycles();
  listenPrint();
  const ops = decode(await unpack('columns'), data.names, OF_OPERATIONS);
  const orders = await readOrders();
  const followOrder = orders ? listenOrders(orders) : () => {};
  if (ops.count === 0) {
    byId('shown').textContent = 'no operations';
    ready();
    return;
  }
  for (const id of ['filter', 'stage', 'help']) byId(id).hidden = false;
  fillFilter();

  const choose = (op, zoomed) => {
    timeline.select(op, zoomed);
    showDetails(ops, op);
    const here = op >= 0 ? `#op=${ops.index[op]}` : '#timeline';
    if (op >= 0 || location.hash.startsWith('#op=')) history.replaceState(null, '', here);
  };
  const timeline = new Timeline(ops, (op) => choose(op, false));

  const follow = () => {
    followOrder();
    const match = /^#op=(\d+)$/.exec(location.hash);
    const op = match ? opAt(ops, Number(match[1])) : -1;
    if (op < 0) return;
    choose(op, true);
    byId('timeline').scrollIntoView({ block: 'start' });
  };
  // A link to what is shown already changes no hash, yet should lead there.
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#op="], a[href^="#order="]');
    if (link && link.getAttribute('href') === location.hash) follow();
  });
  window.addEventListener('hashchange', follow);
  let waiting = 0;
  form.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => timeline.refilter(), 120);
  });
  form.addEventListener('reset', () => setTimeout(() => timeline.refilter()));
  form.addEventListener('submit', (event) => event.preventDefault());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => timeline.restyle());
  for (const [name, printing] of [['beforeprint', true], ['afterprint', false]]) {
    window.addEventListener(name, () => {
      document.documentElement.classList.toggle('print', printing);
      timeline.colours = palette();
      timeline.paint();
    });
  }
  listenKeys(timeline, choose);
  follow();
  ready();
};

start().catch((error) => {
  byId('shown').textContent = `the timeline cannot be shown: ${error.message}`;
  console.error(error);
});
