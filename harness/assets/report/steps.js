// Walking through a linearization: the arrow keys move the current step, Enter shows it.

const listenSteps = () => {
  for (const box of document.querySelectorAll('.steps')) {
    const rows = [...box.querySelectorAll('tbody tr')];
    let at = rows.length - 1;
    const move = (to) => {
      rows[at]?.classList.remove('current');
      at = Math.max(0, Math.min(to, rows.length - 1));
      rows[at]?.classList.add('current');
      // Only the box scrolls, not the page.
      const row = rows[at];
      if (row.offsetTop < box.scrollTop + 32) box.scrollTop = row.offsetTop - 32;
      else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) {
        box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight;
      }
    };
    box.scrollTop = box.scrollHeight;
    box.addEventListener('keydown', (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -rows.length, End: rows.length }[event.key];
      if (by !== undefined) {
        event.preventDefault();
        move(at + by);
      } else if (event.key === 'Enter' && event.target === box) {
        rows[at]?.querySelector('a')?.click();
      }
    });
    box.addEventListener('focus', () => move(at));
  }
};
