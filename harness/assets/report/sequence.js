// The story of an order as a sequence diagram: a line a service from top to bottom, and on these,
// a row for each thing that happened, in order of time and not to scale. Faults in force are
// shaded; a node that is down or stands still has no line.

const ROW = 19, COLUMN = 150, MARGIN_LEFT = 150, MARGIN_RIGHT = 330, MARGIN_TOP = 44, WORDS = 64;
const LOST = 1, DEED = 2, TWICE = 4;

/** An element of a picture, with attributes and children. */
const shape = (name, attributes, ...children) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

/** The faults of a story's time, as rows at their beginning and end. */
const faultRows = (first, last) =>
  data.faults.filter((fault) => fault.begin <= last && fault.end >= first).flatMap((fault) => {
    const row = (at, verb) => ({ at, fault, words: `${fault.kind} ${fault.label} ${verb}` });
    const begins = row(Math.max(fault.begin, first), fault.begin < first ? 'is in force' : 'begins');
    return fault.end <= last ? [begins, row(fault.end, 'ends')] : [begins];
  });

/** What a row says when it is chosen. */
const rowTitle = (row, lines) => {
  const head = `${moment(row.at, 6)}  `;
  if (row.fault) return head + row.words;
  const place = row.look & DEED ? lines[row.from] : `${lines[row.from]} → ${lines[row.to]}`;
  const took = row.took === null ? '' : `, arrives after ${span(row.took)}`;
  return `${head}${visible(place)}${took}${row.look & TWICE ? ', twice' : ''}: ${visible(row.words)}`;
};

/** The whole diagram of a story: its rows, the names of the lines, when these were not there. */
const drawStory = ({ rows: told, lines, gaps }) => {
  const first = told[0].at, last = told[told.length - 1].at;
  const rows = [...told, ...faultRows(first, last)].sort((a, b) => a.at - b.at);
  const x = (line) => MARGIN_LEFT + line * COLUMN;
  const right = x(lines.length - 1), width = right + MARGIN_RIGHT;
  const height = MARGIN_TOP + rows.length * ROW + 12;
  // The place of a moment: above the first row that is not earlier.
  const y = (time) => MARGIN_TOP - ROW / 2 + rows.filter((row) => row.at < time).length * ROW;
  const picture = shape('svg', {
    class: 'arrows', viewBox: `0 0 ${width} ${height}`, width, height,
    role: 'img', 'aria-label': 'Lines of services with what happened on them',
  });
  for (const fault of new Set(rows.flatMap((row) => row.fault ?? []))) {
    const from = y(Math.max(fault.begin, first)), to = fault.end > last ? height - 4 : y(fault.end) + ROW;
    picture.append(shape('rect', {
      class: `band fault${fault.hue}`, x: MARGIN_LEFT - 60, width: right + 60 - MARGIN_LEFT + COLUMN / 2, y: from, height: Math.max(to - from, 2),
    }, shape('title', {}, visible(`${fault.kind} ${fault.label}`))));
  }
  lines.forEach((name, line) => picture.append(
    shape('text', { class: 'label', x: x(line), y: 18, 'text-anchor': 'middle' }, visible(cut(name, 22))),
    shape('line', { class: 'life', x1: x(line), x2: x(line), y1: MARGIN_TOP - 16, y2: height - 4 }),
  ));
  for (const gap of gaps) {
    if (gap.begin > last || (gap.end ?? Infinity) < first) continue;
    const [from, to] = [y(gap.begin), gap.end === null || gap.end > last ? height - 4 : y(gap.end)];
    picture.append(shape('line', { class: gap.still ? 'still' : 'gone', x1: x(gap.line), x2: x(gap.line), y1: from, y2: to },
      shape('title', {}, gap.still ? 'paused' : 'down')));
  }
  rows.forEach((row, at) => picture.append(drawRow(row, MARGIN_TOP + at * ROW, x, right, lines)));
  return picture;
};

const drawRow = (row, y, x, right, lines) => {
  const words = visible(cut(row.words, WORDS));
  const title = shape('title', {}, rowTitle(row, lines));
  const time = shape('text', { class: 'label', x: 4, y: y + 3.5 }, moment(row.at));
  if (row.fault) {
    return shape('g', { class: `msg fault${row.fault.hue}` }, title, time,
      shape('line', { class: 'way', x1: MARGIN_LEFT - 60, x2: right + COLUMN / 2, y1: y, y2: y }),
      shape('text', { class: 'kind', x: MARGIN_LEFT - 56, y: y - 3 }, words));
  }
  const deed = row.look & DEED, lost = row.look & LOST, [from, to] = [x(row.from), x(row.to)];
  const kind = deed ? 'kind2' : row.from && row.to ? 'kind1' : 'kind0';
  const text = shape('text', { class: 'kind', x: Math.max(from, to) + 9, y: y + 3.5 }, words);
  const marks = deed
    ? [shape('rect', { class: 'mark', x: from - 5, y: y - 5, width: to - from + 10, height: 10, rx: 3 })]
    : arrow(from, to, y, lost);
  const link = row.event === null ? text : shape('a', { href: `#op=${row.event}` }, text);
  return shape('g', { class: `msg ${kind}${lost ? ' lost' : ''}` }, title, time, ...marks, link);
};

/** An arrow along a row; one that got lost ends on half the way, at a cross. */
const arrow = (from, to, y, lost) => {
  const end = lost ? from + (to - from) * 0.5 : to, back = Math.sign(from - to) * 7;
  const way = shape('line', { class: 'way', x1: from, x2: end, y1: y, y2: y });
  if (lost) return [way, shape('path', { class: 'cross', d: `M${end - 4} ${y - 4}l8 8m0 -8l-8 8` })];
  return [way, shape('polygon', { points: `${end},${y} ${end + back},${y - 3} ${end + back},${y + 3}` })];
};

/** A story in a box that the arrow keys walk through, with a line that tells the row in full. */
const storyBox = (story) => {
  const told = el('p', { class: 'told code', 'aria-live': 'polite' }, '↑ ↓ or a click: what happens in a row');
  const box = el('div', {
    class: 'lamport story', tabindex: 0, role: 'group',
    'aria-label': 'The order across the services. The up and down arrow keys step through it.',
  }, drawStory(story));
  const rows = [...box.querySelectorAll('.msg')];
  const go = walk(box, rows, ['ArrowUp', 'ArrowDown'], (row) => {
    told.textContent = row.querySelector('title').textContent;
    row.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
  });
  box.addEventListener('click', (event) => {
    const row = event.target.closest('.msg');
    if (row) go(rows.indexOf(row));
  });
  return el('figure', {},
    el('figcaption', { class: 'quiet' },
      el('span', {}, 'Time runs downwards, a row for each event; clocks of services are right to about a millisecond.'),
      ...(story.left ? [el('span', {}, `${thousands(story.left)} messages that arrived as sent are left out.`)] : [])),
    box, told);
};
