// Walking through a list of things one by one: the arrow keys in their box, a click or a hover.

/**
 * `keys` are the keys for back and forth, `show` is told what becomes current and what was;
 * returns a function that goes to a place. `signal` ends it.
 */
const walk = (box, things, [back, forth], show, signal) => {
  let at = -1;
  const go = (to) => {
    const before = things[at];
    at = Math.max(0, Math.min(to, things.length - 1));
    if (things[at] === before) return;
    before?.classList.remove('current');
    things[at]?.classList.add('current');
    show(things[at], before, at);
  };
  const last = things.length - 1;
  box.addEventListener('keydown', (event) => {
    if (event.target !== box) return;
    const to = { [back]: at - 1, [forth]: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(to);
  }, { signal });
  return go;
};
