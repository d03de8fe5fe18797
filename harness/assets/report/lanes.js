// Lanes: the wanted operations of each client thread in order of time, with running counts, so
// that how many of which outcome lie between two moments takes two binary searches.

const buildLanes = (ops, wants) => {
  const sizes = new Uint32Array(data.names.threads);
  for (let op = 0; op < ops.count; op++) if (wants[op]) sizes[ops.thread[op]]++;
  const lanes = Array.from(sizes, (size, thread) => ({
    thread,
    size,
    ids: new Uint32Array(size),
    // How many of the first k failed, respectively ended in nobody knows what.
    fail: new Uint32Array(size + 1),
    info: new Uint32Array(size + 1),
  }));
  const fill = new Uint32Array(sizes.length);
  for (let op = 0; op < ops.count; op++) {
    if (!wants[op]) continue;
    const lane = lanes[ops.thread[op]], at = fill[ops.thread[op]]++, outcome = ops.flags[op] & 3;
    lane.ids[at] = op;
    lane.fail[at + 1] = lane.fail[at] + (outcome === 1 ? 1 : 0);
    lane.info[at + 1] = lane.info[at] + (outcome > 1 ? 1 : 0);
  }
  return lanes;
};

/** How many operations of a lane begin before a moment; the search gallops from `low`. */
const before = (ops, lane, time, low = 0) => {
  let step = 1, high = low;
  while (high < lane.size && ops.time[lane.ids[high]] < time) {
    low = high + 1;
    high = low + step;
    step *= 2;
  }
  high = Math.min(high, lane.size);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ops.time[lane.ids[middle]] < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The operation of a lane that is nearest to a moment, at most `slack` away; -1 if none. */
const nearest = (ops, lane, time, slack) => {
  const at = before(ops, lane, time + slack);
  let best = -1, distance = slack;
  for (let place = at - 1; place >= 0 && place >= at - 64; place--) {
    const op = lane.ids[place];
    const away = Math.max(ops.time[op] - time, time - ops.time[op] - ops.span[op], 0);
    if (away <= distance) [best, distance] = [op, away];
    if (away === 0) break;
  }
  return best;
};
