// Sorting and filtering the runs. The rows are in the page; nothing is fetched.
'use strict';

(() => {
  const table = document.getElementById('runs'), form = document.getElementById('filter');
  if (!table || !form) return;
  const body = table.tBodies[0], shown = document.getElementById('shown');
  const rows = [...body.rows].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    cells: [...row.cells].map((cell) => cell.dataset.key ?? cell.textContent.trim()),
  }));
  const place = { target: 1, workload: 2, verdict: 6 };

  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wants = Object.entries(place).filter(([name]) => form.elements[name].value !== '');
    let count = 0;
    for (const { row, text, cells } of rows) {
      const fits = words.every((word) => text.includes(word)) && wants.every(([name, at]) => cells[at] === form.elements[name].value);
      row.hidden = !fits;
      if (fits) count++;
    }
    const runs = rows.length === 1 ? 'run' : 'runs';
    shown.textContent = count === rows.length ? `${count} ${runs}` : `${count} of ${rows.length} ${runs}`;
  };

  /** What is not known comes last, either way. */
  const compare = (a, b, sign) => {
    if (a === b) return 0;
    if (a === '' || a === '–') return 1;
    if (b === '' || b === '–') return -1;
    const [x, y] = [Number(a), Number(b)];
    const numbers = !Number.isNaN(x) && !Number.isNaN(y);
    return sign * (numbers ? x - y : a < b ? -1 : 1);
  };

  const sort = (button) => {
    const head = button.closest('th'), column = Number(button.dataset.column);
    const down = head.ariaSort ? head.ariaSort === 'ascending' : button.dataset.down !== undefined;
    for (const other of table.tHead.querySelectorAll('[aria-sort]')) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    rows.sort((a, b) => compare(a.cells[column], b.cells[column], down ? -1 : 1));
    body.append(...rows.map(({ row }) => row));
  };

  for (const button of table.tHead.querySelectorAll('button')) button.addEventListener('click', () => sort(button));
  form.addEventListener('input', filter);
  form.addEventListener('reset', () => setTimeout(filter));
  form.addEventListener('submit', (event) => event.preventDefault());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    if (event.key !== '/') return;
    event.preventDefault();
    form.elements.text.focus();
  });
  form.hidden = false;
  filter();
  document.documentElement.dataset.ready = 'true';
})();
