// The keyboard. Letters work everywhere but in fields; arrows only while the chart has the focus.

const listenKeys = (timeline, choose) => {
  const { ops } = timeline;
  let finding = -1, fault = -1;

  const nextFinding = (step) => {
    const count = data.anomalies.length;
    if (!count) return;
    finding = finding < 0 && step < 0 ? count - 1 : (finding + step + count) % count;
    const members = data.anomalies[finding].map((event) => opAt(ops, event)).filter((op) => op >= 0);
    const marks = data.nemesis.filter((mark) => data.anomalies[finding].includes(mark.index));
    const begins = [...members.map((op) => ops.time[op]), ...marks.map((mark) => mark.time)];
    const ends = [...members.map((op) => ops.time[op] + ops.span[op]), ...marks.map((mark) => mark.time)];
    if (members.length) choose(members[0], false);
    if (begins.length) around(Math.min(...begins), Math.max(...ends));
  };

  const nextFault = (step) => {
    const count = data.faults.length;
    if (!count) return;
    fault = fault < 0 && step < 0 ? count - 1 : (fault + step + count) % count;
    around(data.faults[fault].begin, data.faults[fault].end);
  };

  const around = (from, to) => {
    const margin = Math.max((to - from) * 0.3, 1e6);
    timeline.show(from - margin, to + margin);
    byId('timeline').scrollIntoView({ block: 'start' });
    timeline.chart.focus({ preventScroll: true });
  };

  const neighbour = (step) => {
    const from = timeline.selected;
    if (from < 0) return;
    const next = seek(ops, from, step, (at) => ops.thread[at] === ops.thread[from]);
    if (next >= 0) choose(next, false);
  };

  const focusOrders = () => {
    byId('orders')?.scrollIntoView();
    byId('order-filter')?.elements.text.focus();
  };

  const anywhere = {
    n: () => nextFinding(1), N: () => nextFinding(-1),
    f: () => nextFault(1), F: () => nextFault(-1),
    '[': () => neighbour(-1), ']': () => neighbour(1),
    '/': () => { byId('timeline').scrollIntoView(); form.elements.text.focus(); },
    o: () => focusOrders(),
    Escape: () => choose(-1, false),
  };
  const onChart = {
    ArrowLeft: () => timeline.pan(-0.2), ArrowRight: () => timeline.pan(0.2),
    ArrowUp: () => { timeline.scroll -= timeline.lane; timeline.draw(); },
    ArrowDown: () => { timeline.scroll += timeline.lane; timeline.draw(); },
    '+': () => timeline.zoom(0.5), '=': () => timeline.zoom(0.5), '-': () => timeline.zoom(2),
    0: () => timeline.all(), Home: () => timeline.all(),
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      if (event.key === 'Escape') timeline.chart.focus();
      return;
    }
    const action = anywhere[event.key] ?? (event.target === timeline.chart ? onChart[event.key] : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
};
