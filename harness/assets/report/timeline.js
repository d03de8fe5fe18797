// The timeline: what part of the run is in view, and how wheel, drag and keys move it.

const LEFT = 58, MOST_HEIGHT = 560, SPAN_MIN = 1e3;

class Timeline {
  constructor(ops, onSelect) {
    this.ops = ops;
    this.onSelect = onSelect;
    this.chart = byId('chart');
    this.overview = byId('overview');
    this.tip = byId('tip');
    this.kinds = [...new Set(data.faults.map((fault) => fault.kind))];
    this.flagged = new Set(data.anomalies.flat().map((event) => opAt(ops, event)).filter((op) => op >= 0));
    this.selected = -1;
    this.from = 0;
    this.to = data.end;
    this.scroll = 0;
    this.listen();
    this.refilter();
  }

  /** Takes the filter's answers in anew. */
  refilter() {
    const wants = wanted(this.ops);
    this.lanes = buildLanes(this.ops, wants);
    const shown = this.lanes.reduce((sum, lane) => sum + lane.size, 0);
    const all = thousands(this.ops.count);
    byId('shown').textContent = shown === this.ops.count ? `${all} operations` : `${thousands(shown)} of ${all} operations`;
    // A filter that leaves lanes empty hides them.
    if (shown < this.ops.count && shown > 0) this.lanes = this.lanes.filter((lane) => lane.size > 0);
    this.row = new Map(this.lanes.map((lane, row) => [lane.thread, row]));
    this.density = null;
    this.restyle();
  }

  /** Takes colours and sizes in anew. */
  restyle() {
    this.colours = palette();
    this.density = null;
    this.draw();
  }

  get top() {
    return AXIS + this.kinds.length * STRIP + 6;
  }

  get lane() {
    return Math.max(14, Math.min(26, Math.floor(300 / this.lanes.length)));
  }

  get height() {
    return Math.min(this.top + this.lanes.length * this.lane + 6, MOST_HEIGHT);
  }

  view() {
    const width = this.chart.parentElement.clientWidth, { from, to } = this;
    const scale = (width - LEFT) / (to - from);
    return {
      from, to, width, left: LEFT, top: this.top, lane: this.lane, height: this.height,
      x: (time) => LEFT + (time - from) * scale,
      time: (x) => from + (x - LEFT) / scale,
    };
  }

  /** Draws soon, once. */
  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.paint();
    });
  }

  paint() {
    const [ctx, width] = prepare(this.chart, this.height);
    const view = this.view(), { ops, colours } = this;
    if (width <= LEFT) return;
    this.scroll = Math.max(0, Math.min(this.scroll, this.lanes.length * this.lane - (this.height - this.top - 6)));
    drawAxis(ctx, view, colours);
    drawFaults(ctx, view, colours, this.kinds);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, this.top - 5, width, this.height - this.top + 5);
    ctx.clip();
    this.lanes.forEach((lane, row) => {
      const y = this.y(row);
      if (y + this.lane < this.top || y > this.height) return;
      drawLane(ctx, ops, view, colours, lane, y);
      ctx.font = `10px ${colours.sans}`;
      ctx.fillStyle = colours.quiet;
      ctx.fillText(`client ${lane.thread}`, 6, y + this.lane / 2 + 0.5);
    });
    for (const op of this.flagged) this.flag(ctx, view, op, colours.wrong, false);
    if (this.selected >= 0) this.flag(ctx, view, this.selected, colours.ink, true);
    ctx.restore();
    this.paintOverview();
  }

  y(row) {
    return this.top + row * this.lane - this.scroll;
  }

  flag(ctx, view, op, colour, strong) {
    const row = this.row.get(this.ops.thread[op]);
    if (row !== undefined) drawFlag(ctx, this.ops, view, op, this.y(row), colour, strong);
  }

  /** The whole run, small, with the part in view framed. */
  paintOverview() {
    const height = 34;
    const [ctx, width] = prepare(this.overview, height);
    const inner = width - LEFT, x = (time) => LEFT + (time / data.end) * inner;
    this.density ??= this.countAll(Math.max(1, Math.floor(inner / 2)));
    const most = Math.max(1, ...this.density.map((slice) => slice[0]));
    for (const fault of data.faults) {
      ctx.fillStyle = this.colours.fault[fault.hue];
      ctx.globalAlpha = this.colours.band * 1.6;
      ctx.fillRect(x(fault.begin), 0, Math.max(x(fault.end) - x(fault.begin), 1), height);
    }
    ctx.globalAlpha = 1;
    this.density.forEach(([count, other], at) => {
      const tall = (n) => (n / most) * (height - 8);
      ctx.fillStyle = this.colours.outcome[0];
      ctx.fillRect(LEFT + at * 2, height - tall(count), 2, tall(count));
      ctx.fillStyle = this.colours.outcome[2];
      ctx.fillRect(LEFT + at * 2, height - tall(other), 2, tall(other));
    });
    ctx.fillStyle = this.colours.wrong;
    for (const op of this.flagged) ctx.fillRect(x(this.ops.time[op]) - 1, 0, 3, 6);
    ctx.fillStyle = this.colours.quiet;
    ctx.font = `10px ${this.colours.sans}`;
    ctx.textBaseline = 'middle';
    ctx.fillText('whole run', 6, height / 2);
    const [from, to] = [x(this.from), x(this.to)];
    ctx.fillStyle = this.colours.ink;
    ctx.globalAlpha = 0.1;
    ctx.fillRect(LEFT, 0, from - LEFT, height);
    ctx.fillRect(to, 0, width - to, height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = this.colours.ink;
    ctx.strokeRect(from + 0.5, 0.5, Math.max(to - from - 1, 2), height - 1);
  }

  /** For equal slices of the run: all operations, and those with an unknown outcome. */
  countAll(slices) {
    return Array.from({ length: slices }, (_, at) => {
      let all = 0, info = 0;
      for (const lane of this.lanes) {
        const low = before(this.ops, lane, (data.end * at) / slices);
        const high = before(this.ops, lane, (data.end * (at + 1)) / slices + (at + 1 === slices ? 1 : 0), low);
        all += high - low;
        info += lane.info[high] - lane.info[low];
      }
      return [all, info];
    });
  }

  /** Shows a stretch of time, kept within the run. */
  show(from, to) {
    const wide = Math.min(Math.max(to - from, SPAN_MIN), data.end * 1.02);
    const middle = (from + to) / 2;
    this.from = Math.max(-0.01 * data.end, Math.min(middle - wide / 2, data.end * 1.01 - wide));
    this.to = this.from + wide;
    this.draw();
  }

  all() {
    this.show(0, data.end);
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    const wide = Math.min(Math.max((this.to - this.from) * factor, SPAN_MIN), data.end * 1.02);
    const share = (at - this.from) / (this.to - this.from);
    this.show(at - share * wide, at + (1 - share) * wide);
  }

  pan(share) {
    const by = share * (this.to - this.from);
    this.show(this.from + by, this.to + by);
  }

  /** Selects an operation; `zoomed` brings it into a readable view. */
  select(op, zoomed) {
    this.selected = op;
    if (op >= 0 && zoomed) {
      const start = this.ops.time[op], length = Math.max(this.ops.span[op], 1e4);
      this.show(start - 4 * length, start + 5 * length);
    } else if (op >= 0 && (this.ops.time[op] < this.from || this.ops.time[op] > this.to)) {
      const wide = this.to - this.from;
      this.show(this.ops.time[op] - wide / 2, this.ops.time[op] + wide / 2);
    }
    const row = this.row.get(this.ops.thread[op]);
    if (row !== undefined) {
      const room = this.height - this.top - 6, y = row * this.lane;
      if (y < this.scroll || y + this.lane > this.scroll + room) this.scroll = y - room / 2;
    }
    this.draw();
  }

  /** The operation under a place; -1 if none. */
  hit(x, y) {
    const row = Math.floor((y - this.top + this.scroll) / this.lane);
    if (y < this.top || x < LEFT || !this.lanes[row]) return -1;
    const view = this.view();
    return nearest(this.ops, this.lanes[row], view.time(x), view.time(x + 3) - view.time(x));
  }

  listen() {
    let drag = null, elsewhere = 0;
    const place = (event) => {
      const box = this.chart.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    // A page that is being scrolled goes on scrolling when the pointer meets the chart.
    window.addEventListener('wheel', (event) => {
      if (event.target !== this.chart) elsewhere = event.timeStamp;
    }, { passive: true });
    this.chart.addEventListener('wheel', (event) => {
      if (event.timeStamp - elsewhere < 300) {
        elsewhere = event.timeStamp;
        return;
      }
      event.preventDefault();
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) this.pan(sideways / 800);
      else this.zoom(Math.exp(Math.max(-1, Math.min(event.deltaY / 300, 1))), this.view().time(place(event)[0]));
    }, { passive: false });
    this.chart.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.chart.setPointerCapture(event.pointerId);
      drag = { at: place(event), from: this.from, to: this.to, scroll: this.scroll, moved: false };
    });
    this.chart.addEventListener('pointermove', (event) => {
      const at = place(event);
      if (!drag) return this.hover(at);
      const [dx, dy] = [at[0] - drag.at[0], at[1] - drag.at[1]];
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      drag.moved = true;
      this.tip.hidden = true;
      this.chart.classList.add('dragging');
      const by = (dx / (this.chart.clientWidth - LEFT)) * (drag.to - drag.from);
      this.scroll = drag.scroll - dy;
      this.show(drag.from - by, drag.to - by);
    });
    this.chart.addEventListener('pointerup', (event) => {
      if (drag && !drag.moved) this.onSelect(this.hit(...place(event)));
      drag = null;
      this.chart.classList.remove('dragging');
    });
    this.chart.addEventListener('pointercancel', () => (drag = null));
    this.chart.addEventListener('pointerleave', () => (this.tip.hidden = true));
    this.chart.addEventListener('dblclick', (event) => this.zoom(0.25, this.view().time(place(event)[0])));
    this.listenOverview();
    new ResizeObserver(() => this.restyle()).observe(this.chart.parentElement);
  }

  /** A drag in the overview moves the view, and from outside of it draws a new one. */
  listenOverview() {
    const time = (event) => {
      const box = this.overview.getBoundingClientRect();
      return ((event.clientX - box.left - LEFT) / (box.width - LEFT)) * data.end;
    };
    let grip = null;
    this.overview.addEventListener('pointerdown', (event) => {
      this.overview.setPointerCapture(event.pointerId);
      const at = time(event), within = at >= this.from && at <= this.to && this.to - this.from < data.end * 0.98;
      grip = { at, offset: within ? at - this.from : null, wide: this.to - this.from };
    });
    this.overview.addEventListener('pointermove', (event) => {
      if (!grip) return;
      const at = time(event);
      if (grip.offset === null) this.show(Math.min(grip.at, at), Math.max(grip.at, at));
      else this.show(at - grip.offset, at - grip.offset + grip.wide);
    });
    this.overview.addEventListener('pointerup', (event) => {
      if (grip && grip.offset === null && Math.abs(time(event) - grip.at) < data.end / 500) {
        this.show(grip.at - grip.wide / 2, grip.at + grip.wide / 2);
      }
      grip = null;
    });
  }

  hover([x, y]) {
    const op = this.hit(x, y);
    this.tip.hidden = op < 0;
    if (op < 0) return;
    this.tip.textContent = summary(this.ops, op);
    const box = this.chart.parentElement;
    const right = x + 16 + this.tip.offsetWidth > box.clientWidth;
    this.tip.style.left = `${right ? Math.max(4, x - this.tip.offsetWidth - 10) : x + 14}px`;
    this.tip.style.top = `${Math.min(y + this.chart.offsetTop + 14, box.clientHeight - this.tip.offsetHeight - 4)}px`;
  }
}
