// Which operations are shown. Each question is answered once for each distinct key, value and
// name; then one pass over the operations looks the answers up.

const form = byId('filter');

const anyMatch = (names, test) => names.map((name) => (test(name) ? 1 : 0));

/** Answers for one word of the search: for each column which numbers match. */
const answers = (ops, word, textMatches) => {
  const has = (text) => text.toLowerCase().includes(word);
  const integer = /^-?\d+$/.test(word) ? Number(word) : null;
  const code = integer === null || !Number.isSafeInteger(integer) ? -1 : 2 + 2 * (integer < 0 ? -2 * integer - 1 : 2 * integer);
  return {
    f: anyMatch(data.names.f, has),
    key: [0, ...anyMatch(data.names.keys, (key) => plain(key).toLowerCase() === word || (integer === null && has(key)))],
    node: [0, ...anyMatch(data.names.nodes, (node) => node.toLowerCase() === word)],
    outcome: OUTCOMES.map((name) => (name === word ? 1 : 0)),
    texts: textMatches(has),
    index: word.startsWith('#') ? Number(word.slice(1)) : integer,
    code,
  };
};

const matches = (ops, op, a) => {
  const value = (number) => number === a.code || (number > 2 && number % 2 === 1 && a.texts[(number - 3) / 2] === 1);
  return (
    a.f[ops.f[op]] === 1 || a.key[ops.key[op]] === 1 || a.node[ops.node[op]] === 1 ||
    a.outcome[ops.flags[op] & 3] === 1 || value(ops.input[op]) || value(ops.output[op]) ||
    value(ops.error[op]) || a.index === ops.index[op] ||
    (a.index !== null && ops.gap[op] > 0 && a.index === ops.index[op] + ops.gap[op])
  );
};

/** One byte an operation: whether the form wants it. */
const wanted = (ops) => {
  const field = (name) => form.elements[name].value.trim();
  const words = field('text').toLowerCase().split(/\s+/).filter(Boolean);
  const textMatches = (has) => Uint8Array.from({ length: ops.texts.count }, (_, at) => (has(ops.texts.get(at)) ? 1 : 0));
  const search = words.map((word) => answers(ops, word, textMatches));
  const key = field('key'), process = field('process');
  const keys = key && [0, ...anyMatch(data.names.keys, (name) => plain(name) === key)];
  const f = field('f'), node = field('node');
  const outcomes = ['ok', 'fail', 'info', 'info'].map((name) => form.elements[name].checked);
  const out = new Uint8Array(ops.count);
  for (let op = 0; op < ops.count; op++) {
    if (!outcomes[ops.flags[op] & 3]) continue;
    if (keys && !keys[ops.key[op]]) continue;
    if (f && ops.f[op] !== Number(f)) continue;
    if (node && ops.node[op] !== Number(node)) continue;
    if (process && String(processOf(ops, op)) !== process) continue;
    if (search.every((a) => matches(ops, op, a))) out[op] = 1;
  }
  return out;
};

/** Fills the choices that depend on the run. */
const fillFilter = () => {
  const options = (select, names, first) =>
    names.forEach((name, at) => select.append(el('option', { value: at + first }, visible(name))));
  options(form.elements.f, data.names.f, 0);
  options(form.elements.node, data.names.nodes, 1);
  byId('keys').append(...data.names.keys.slice(0, 2000).map((key) => el('option', { value: plain(key) })));
};
