// Walking through a linearization: the current step is marked in the table and in the picture
// above it; Enter shows its operation in the timeline.

const listenSteps = () => {
  for (const box of document.querySelectorAll('.steps')) {
    const rows = [...box.querySelectorAll('tbody tr')];
    const picture = box.closest('.card')?.querySelector('figure svg.plot:not(.graph)');
    const drawn = (row) => (row?.dataset.op ? picture?.querySelectorAll(`[data-op="${row.dataset.op}"]`) ?? [] : []);
    const go = walk(box, rows, ['ArrowUp', 'ArrowDown'], (row, before) => {
      for (const shape of drawn(before)) shape.classList.remove('current');
      for (const shape of drawn(row)) shape.classList.add('current');
      // Only the box scrolls, not the page.
      if (row.offsetTop < box.scrollTop + 32) box.scrollTop = row.offsetTop - 32;
      else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) {
        box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight;
      }
    });
    // What went wrong is at the end.
    box.scrollTop = box.scrollHeight;
    box.addEventListener('focus', () => box.querySelector('tr.current') ?? go(rows.length - 1));
    box.addEventListener('mouseover', (event) => {
      const row = event.target.closest('tbody tr');
      if (row) go(rows.indexOf(row));
    });
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.target === box) box.querySelector('tr.current a')?.click();
    });
  }
};
