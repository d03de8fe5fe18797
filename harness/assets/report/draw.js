// Drawing: pure functions from a view to pixels.

const AXIS = 22, STRIP = 15;

/** The colours of the page as it is shown now. */
const palette = () => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    outcome: [colour('ok'), colour('fail'), colour('info'), colour('info')],
    fault: [0, 1, 2, 3, 4, 5].map((hue) => colour(`fault${hue}`)),
    ink: colour('ink'), quiet: colour('quiet'), line: colour('line'), wrong: colour('wrong'),
    paper: colour('card'), soft: colour('soft'), link: colour('link'), onColour: colour('on-colour'),
    band: Number(colour('band')), sans: colour('sans'), mono: colour('mono'),
  };
};

/** A canvas as wide as its box, sharp on every screen. */
const prepare = (canvas, height) => {
  const width = canvas.parentElement.clientWidth, ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return [ctx, width];
};

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
const roundStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
};

const drawAxis = (ctx, view, colours) => {
  const step = roundStep((view.to - view.from) / (view.width / 110));
  const decimals = Math.max(0, 9 - Math.floor(Math.log10(step)));
  ctx.font = `11px ${colours.sans}`;
  ctx.textBaseline = 'middle';
  ctx.strokeStyle = colours.line;
  ctx.fillStyle = colours.quiet;
  ctx.beginPath();
  for (let tick = Math.ceil(view.from / step) * step; tick <= view.to; tick += step) {
    const x = Math.round(view.x(tick)) + 0.5;
    ctx.moveTo(x, AXIS - 4);
    ctx.lineTo(x, view.height);
    const text = moment(tick, decimals);
    if (x + 4 + ctx.measureText(text).width < view.width) ctx.fillText(text, x + 4, AXIS / 2);
  }
  ctx.stroke();
};

/** Faults: bands over the whole height, and a strip with a row for each kind. */
const drawFaults = (ctx, view, colours, kinds) => {
  for (const fault of data.faults) {
    if (fault.end < view.from || fault.begin > view.to) continue;
    const x = Math.max(view.x(fault.begin), view.left), to = Math.min(view.x(fault.end), view.width);
    const row = AXIS + kinds.indexOf(fault.kind) * STRIP;
    ctx.fillStyle = colours.fault[fault.hue];
    ctx.globalAlpha = fault.certain ? colours.band : colours.band / 2;
    ctx.fillRect(x, view.top, Math.max(to - x, 1), view.height - view.top);
    ctx.globalAlpha = fault.certain ? 1 : 0.5;
    ctx.fillRect(x, row + 1, Math.max(to - x, 2), STRIP - 3);
    ctx.globalAlpha = 1;
    inside(ctx, `${fault.kind} ${fault.label}`, x, to, row + STRIP / 2, colours.onColour, `10px ${colours.sans}`);
  }
};

/** A text between two places if there is room for some of it. */
const inside = (ctx, text, x, to, y, colour, font) => {
  const room = Math.floor((to - x - 8) / 6);
  if (room < 3) return;
  ctx.font = font;
  ctx.fillStyle = colour;
  ctx.textBaseline = 'middle';
  ctx.fillText(cut(visible(text), room), x + 4, y + 0.5);
};

/** One lane: single operations where there is room, else how many of which outcome. */
const drawLane = (ctx, ops, view, colours, lane, y) => {
  const from = Math.max(before(ops, lane, view.from) - 1, 0), to = before(ops, lane, view.to, from);
  if (to - from > (view.width - view.left) * 1.5) drawCounts(ctx, ops, view, colours, lane, y, from);
  else drawSingle(ctx, ops, view, colours, lane, y, from, to);
};

const drawSingle = (ctx, ops, view, colours, lane, y, from, to) => {
  const height = view.lane - 4;
  const drawn = [-1, -1, -1, -1];
  for (let place = from; place < to; place++) {
    const op = lane.ids[place], outcome = ops.flags[op] & 3;
    const x = Math.max(view.x(ops.time[op]), view.left), end = Math.min(view.x(endOf(ops, op)), view.width);
    if (end < view.left || end < drawn[outcome] + 0.4) continue;
    drawn[outcome] = Math.max(end, x + 1);
    ctx.fillStyle = colours.outcome[outcome];
    ctx.globalAlpha = outcome === 3 ? 0.5 : 1;
    ctx.fillRect(x, y + 2, Math.max(end - x - 0.5, 1), height);
    ctx.globalAlpha = 1;
    if (outcome === 2) {
      const next = place + 1 < lane.size ? view.x(ops.time[lane.ids[place + 1]]) : view.width;
      drawTail(ctx, end, Math.min(end + 18, next - 2, view.width), y + 2 + height / 2);
    }
    if (end - x > 30 && height > 9) {
      const key = keyOf(ops, op);
      const text = key === '' ? label(ops, op) : `${key} ${label(ops, op)}`;
      inside(ctx, text, x, end, y + view.lane / 2, colours.onColour, `11px ${colours.mono}`);
    }
  }
};

/** Nobody knows whether, and when after its end, such an operation took effect. */
const drawTail = (ctx, x, to, y) => {
  if (to > x) ctx.fillRect(x, y - 0.5, to - x, 1.5);
};

const drawCounts = (ctx, ops, view, colours, lane, y, first) => {
  const height = view.lane - 4, step = 2;
  let low = before(ops, lane, view.from, first);
  for (let x = view.left; x < view.width; x += step) {
    const high = before(ops, lane, view.time(x + step), low), count = high - low;
    if (count > 0) {
      const fail = lane.fail[high] - lane.fail[low], info = lane.info[high] - lane.info[low];
      // Whatever there is shows, however rare.
      const part = (n) => (n === 0 ? 0 : Math.max((n / count) * height, 2));
      const [top, middle] = [part(info), part(fail)];
      ctx.fillStyle = colours.outcome[0];
      ctx.fillRect(x, y + 2, step, height);
      ctx.fillStyle = colours.outcome[1];
      ctx.fillRect(x, y + 2 + top, step, middle);
      ctx.fillStyle = colours.outcome[2];
      ctx.fillRect(x, y + 2, step, top);
    }
    low = high;
  }
};

/** An outline and a flag on an operation that some finding names, or that is selected. */
const drawFlag = (ctx, ops, view, op, y, colour, strong) => {
  const x = view.x(ops.time[op]), end = Math.min(view.x(endOf(ops, op)), view.width + 4);
  if (end < view.left - 6 || x > view.width + 6) return;
  const width = Math.max(end - x, 3);
  ctx.strokeStyle = colour;
  ctx.lineWidth = strong ? 2.5 : 1.5;
  ctx.strokeRect(x - 0.5, y + 1.5, width + 1, view.lane - 3);
  ctx.lineWidth = 1;
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x + width / 2 - 5, y - 4);
  ctx.lineTo(x + width / 2 + 5, y - 4);
  ctx.lineTo(x + width / 2, y + 2);
  ctx.fill();
};
