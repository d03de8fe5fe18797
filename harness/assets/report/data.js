// The operations, unpacked from the page into typed arrays: one number an operation and column.
// The layout is described where it is written, in `columns.rs`.

const data = JSON.parse(byId('data').textContent);
const OUTCOMES = ['ok', 'fail', 'info', 'info'];
const OPEN = 3, KEY = 4, NODE = 8, WHOLE = 16, EXTRA = 32;

/** The browser's own decoder is ten times as fast where there is one. */
const fromBase64 = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
};

/** Inflates a block of embedded columns. */
const unpack = async (id) => {
  const block = byId(id);
  const packed = fromBase64(block.textContent);
  block.remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

const ARRAYS = {
  index: Uint32Array, time: Float64Array, thread: Uint32Array, round: Float64Array, f: Uint16Array,
  key: Uint32Array, node: Uint16Array, flags: Uint8Array, span: Float64Array, gap: Uint32Array,
  input: Float64Array, output: Float64Array, error: Float64Array,
};

/** Reads varints into an array; `sum` where they are differences. */
const column = (bytes, from, array, sum) => {
  let at = from, last = 0;
  for (let row = 0; row < array.length; row++) {
    let value = 0, scale = 1, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    array[row] = last = sum ? last + value : value;
  }
  return at;
};

/** What the columns of operations are: their arrays, and which hold differences. */
const OF_OPERATIONS = { array: (name) => ARRAYS[name], sums: (name) => name === 'index' || name === 'time' };

/** A table: a typed array for each column, and the texts. */
const decode = (bytes, names, { array, sums }) => {
  const table = { count: names.count };
  const header = new Float64Array(names.columns.length + 2);
  let at = column(bytes, 0, header, false);
  names.columns.forEach((name, place) => {
    table[name] = new (array(name))(names.count);
    column(bytes, at, table[name], sums(name));
    at += header[place + 1];
  });
  table.texts = texts(bytes.subarray(at));
  return table;
};

/** The texts, decoded when they are asked for. */
const texts = (bytes) => {
  const places = [];
  for (let at = 0; at < bytes.length; ) {
    let length = 0, scale = 1, byte;
    do {
      byte = bytes[at++];
      length += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    places.push(at, at + length);
    at += length;
  }
  const decoder = new TextDecoder();
  return {
    count: places.length / 2,
    get: (number) => decoder.decode(bytes.subarray(places[2 * number], places[2 * number + 1])),
  };
};

/** The JSON text of a value by its number; see `columns.rs`. */
const valueText = (ops, number, same) => {
  if (number === 0) return 'null';
  if (number === 1) return valueText(ops, same, 0);
  if (number % 2 === 1) return ops.texts.get((number - 3) / 2);
  const zigzag = (number - 2) / 2;
  return String(zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
};

const outcomeOf = (ops, op) => OUTCOMES[ops.flags[op] & 3];
const processOf = (ops, op) => ops.round[op] * data.names.threads + ops.thread[op];
const keyOf = (ops, op) => (ops.key[op] ? plain(data.names.keys[ops.key[op] - 1]) : '');
const nodeOf = (ops, op) => (ops.node[op] ? data.names.nodes[ops.node[op] - 1] : '');
const endOf = (ops, op) => ((ops.flags[op] & 3) === OPEN ? data.end : ops.time[op] + ops.span[op]);

/** A JSON string without its quotes; other JSON as it is. */
const plain = (json) => {
  if (!json.startsWith('"')) return json;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
};

/** What an operation did, in a few characters. */
const label = (ops, op) => {
  const f = data.names.f[ops.f[op]];
  const ok = (ops.flags[op] & 3) === 0;
  let shown = valueText(ops, ops.input[op], 0);
  const cas = f === 'cas' && /^\[([^,[\]{}]*),([^,[\]{}]*)\]$/.exec(shown);
  if (cas) shown = `${cas[1]}→${cas[2]}`;
  else if (ok && !(ops.flags[op] & WHOLE)) {
    const result = valueText(ops, ops.output[op], ops.input[op]);
    if (result !== 'null') shown = result;
  }
  if (shown === 'null') shown = ok ? 'nil' : '';
  return visible(cut(`${f} ${shown}`.trim(), 48)) + ['', ' ✗', ' ?', ' ?'][ops.flags[op] & 3];
};

/** The lines of the history file that belong to an operation. */
const lines = (ops, op) => {
  const flags = ops.flags[op], open = (flags & 3) === OPEN;
  const key = ops.key[op] ? `,"key":${data.names.keys[ops.key[op] - 1]}` : '';
  const node = ops.node[op] ? `,"node":${JSON.stringify(nodeOf(ops, op))}` : '';
  let error = ops.error[op] ? valueText(ops, ops.error[op], 0) : '', extra = '';
  if (flags & EXTRA) {
    const parts = open ? [null, JSON.parse(error)] : JSON.parse(error);
    extra = ',' + JSON.stringify(parts[1]).slice(1, -1);
    error = parts[0] === null ? '' : JSON.stringify(parts[0]);
  }
  const head = (index, time, type) =>
    `{"index":${index},"time":${time},"process":${processOf(ops, op)},"type":"${type}","f":${JSON.stringify(data.names.f[ops.f[op]])}`;
  const input = valueText(ops, ops.input[op], 0);
  const invoke = `${head(ops.index[op], ops.time[op], 'invoke')}${key},"value":${input}${node}${extra}}`;
  if (open) return [invoke];
  const output = valueText(ops, ops.output[op], ops.input[op]);
  if (flags & WHOLE) return [invoke, output];
  const done = head(ops.index[op] + ops.gap[op], ops.time[op] + ops.span[op], OUTCOMES[flags & 3]);
  const told = error ? `,"error":${error}` : '';
  return [invoke, `${done}${flags & KEY ? key : ''},"value":${output}${told}${flags & NODE ? node : ''}}`];
};

/** The operation that an event begins or completes; -1 for events of the nemesis. */
const opAt = (ops, event) => {
  let low = 0, high = ops.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ops.index[middle] <= event) low = middle + 1;
    else high = middle;
  }
  for (let op = low - 1; op >= 0; op--) {
    if (ops.index[op] === event || (ops.gap[op] && ops.index[op] + ops.gap[op] === event)) return op;
  }
  return -1;
};
