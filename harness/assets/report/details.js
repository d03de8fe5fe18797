// One operation in full: its lines of the history, its neighbours, what was broken meanwhile.

/** An operation on one line. */
const summary = (ops, op) => {
  const key = keyOf(ops, op), node = nodeOf(ops, op), open = (ops.flags[op] & 3) === OPEN;
  return [
    label(ops, op),
    key && `key ${visible(cut(key, 40))}`,
    node && `at ${visible(node)}`,
    `process ${processOf(ops, op)}`,
    moment(ops.time[op]),
    open ? 'never completed' : `${outcomeOf(ops, op)} after ${span(ops.span[op])}`,
  ].filter(Boolean).join(' · ');
};

/** The next operation in a direction that `test` accepts; -1 if there is none. */
const seek = (ops, op, step, test) => {
  for (let at = op + step; at >= 0 && at < ops.count; at += step) if (test(at)) return at;
  return -1;
};

/** Operations on the same key at the same time, at most `most`. */
const concurrent = (ops, op, most) => {
  const found = [], end = endOf(ops, op);
  const touches = (other) => ops.key[other] === ops.key[op] && ops.time[other] <= end && endOf(ops, other) >= ops.time[op];
  for (let at = op - 1; at >= 0 && found.length < most / 2 && op - at < 2e6; at--) if (touches(at)) found.unshift(at);
  for (let at = op + 1; at < ops.count && ops.time[at] <= end && found.length < most; at++) if (touches(at)) found.push(at);
  return found;
};

const opLink = (ops, op, text) => el('a', { href: `#op=${ops.index[op]}`, class: 'chip' }, text ?? label(ops, op));

/** Fills the panel below the timeline. */
const showDetails = (ops, op) => {
  const panel = byId('details');
  panel.hidden = op < 0;
  if (op < 0) return;
  const neighbours = [
    ['before, same client', seek(ops, op, -1, (at) => ops.thread[at] === ops.thread[op])],
    ['after, same client', seek(ops, op, 1, (at) => ops.thread[at] === ops.thread[op])],
    ['before, same key', seek(ops, op, -1, (at) => ops.key[at] === ops.key[op])],
    ['after, same key', seek(ops, op, 1, (at) => ops.key[at] === ops.key[op])],
  ].filter(([, other]) => other >= 0);
  const faults = data.faults.filter((fault) => fault.begin <= endOf(ops, op) && fault.end >= ops.time[op]);
  const findings = data.anomalies.flatMap((events, at) => (events.some((event) => opAt(ops, event) === op) ? [at] : []));
  const meanwhile = concurrent(ops, op, 24);
  panel.replaceChildren(
    el('h3', {}, `Operation ${ops.index[op]}: ${label(ops, op)}`),
    el('p', {}, summary(ops, op)),
    el('pre', { tabindex: 0, 'aria-label': 'its lines of the history' }, visible(lines(ops, op).join('\n'))),
    el('div', { class: 'row' },
      ...neighbours.map(([name, other]) => el('span', {}, `${name}: `, opLink(ops, other)))),
    ...(meanwhile.length
      ? [el('p', { class: 'quiet' }, 'Meanwhile on the same key: ', ...meanwhile.map((other) => opLink(ops, other)))]
      : []),
    el('p', { class: 'quiet' }, faults.length
      ? `Faults at that time: ${faults.map((fault) => `${fault.kind} ${fault.label}`).join(', ')}`
      : 'No fault was in force at that time.'),
    ...findings.map((at) => el('p', {}, el('a', { href: `#anomaly-${at + 1}` }, `Named by finding ${at + 1}`))),
    el('div', { class: 'row' },
      el('a', { href: `#op=${ops.index[op]}` }, `#op=${ops.index[op]}`), el('span', { class: 'quiet' }, 'a link to this operation')),
  );
};
