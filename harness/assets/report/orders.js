// The list of orders, and the story of the one that is chosen; on cards, of the order that a
// finding is about. The columns are described where they are written, in `saga.rs`.

const LISTED = 300, SELF = /\u0001/g;

/** All orders and their rows, from the page; null where the run had none. */
const readOrders = async () => {
  const block = byId('sagas');
  if (!block) return null;
  const { orders: names, story: rowNames, ...rest } = JSON.parse(block.textContent);
  const numbers = { array: () => Float64Array, sums: () => false };
  const orders = decode(await unpack('orders-columns'), names, numbers);
  const rows = decode(await unpack('story-columns'), rowNames, numbers);
  const signed = (number) => (number % 2 === 0 ? number / 2 : -(number + 1) / 2);
  for (let row = 0, last = 0; row < rows.count; row++) rows.at[row] = last += 1e3 * signed(rows.at[row]);
  const text = (number) => (number === 0 ? '' : rows.texts.get(number - 1));
  const findings = new Map(rest.findings.map(([finding, order]) => [order, finding]));
  let from = 0;
  const list = Array.from({ length: orders.count }, (_, number) => {
    const begin = from;
    from += orders.rows[number];
    return {
      number, begin, end: from, finding: findings.get(number),
      id: text(orders.id[number]), customer: text(orders.customer[number]), item: text(orders.item[number]),
      address: text(orders.address[number]), ended: text(orders.end[number]),
      quantity: signed(orders.quantity[number]), amount: signed(orders.amount[number]),
      compensated: orders.compensated[number] === 1, left: orders.left[number],
    };
  });
  const story = ({ begin, end, id, left }) => ({
    ...rest, left,
    rows: Array.from({ length: end - begin }, (_, place) => {
      const row = begin + place;
      return {
        at: rows.at[row], from: rows.from[row], to: rows.to[row], look: rows.look[row],
        words: text(rows.words[row]).replace(SELF, () => id),
        event: rows.event[row] === 0 ? null : rows.event[row] - 1,
        took: rows.took[row] === 0 ? null : 1e3 * (rows.took[row] - 1),
      };
    }),
  });
  const began = (order) => rows.at[order.begin], took = (order) => rows.at[order.end - 1] - rows.at[order.begin];
  return { list, story, began, took };
};

const orderLink = (order, text = order.id) =>
  el('a', { href: `#order=${encodeURIComponent(order.id)}` }, visible(cut(text, 48)));

/** Whether an order is wanted by the filter's answers. */
const orderMatches = (order, { text, customer, end, compensated }) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (word) => [order.id, order.customer, order.item].some((name) => name.toLowerCase().includes(word));
  return words.every(has) && (!customer || order.customer === customer) && (!end || order.ended === end)
    && (!compensated || order.compensated === (compensated === '1'));
};

const orderRow = (orders, order) => el('tr', { 'data-order': order.number },
  el('td', {}, orderLink(order), ...(order.finding ? [' ', el('a', { class: 'number', href: `#anomaly-${order.finding}` }, String(order.finding))] : [])),
  el('td', {}, visible(cut(order.customer, 24))), el('td', {}, visible(cut(`${order.quantity} × ${order.item}`, 28))),
  el('td', {}, String(order.amount)), el('td', {}, order.ended), el('td', {}, order.compensated ? 'yes' : ''),
  el('td', {}, moment(orders.began(order))), el('td', {}, span(orders.took(order))));

/** Draws the stories on cards, each when it comes near to what is seen, and all of them for print. */
const drawOnCards = (orders) => {
  const draw = (place) => {
    if (place.firstChild) return;
    const order = orders.list[Number(place.dataset.story)];
    place.append(storyBox(orders.story(order)), el('p', {}, orderLink(order, `${order.id} among all orders`)));
  };
  const places = document.querySelectorAll('[data-story]');
  const near = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) if (isIntersecting) draw(target);
  }, { rootMargin: '800px' });
  for (const place of places) near.observe(place);
  window.addEventListener('beforeprint', () => places.forEach(draw));
};

/** Fills the section; returns what shows the order of a link, if there is one. */
const listenOrders = (orders) => {
  drawOnCards(orders);
  const form = byId('order-filter'), box = byId('order-list'), body = box.querySelector('tbody');
  let shown = [], chosen = null, go = () => {};
  const mark = () => {
    for (const row of body.rows) row.classList.toggle('chosen', Number(row.dataset.order) === chosen?.number);
  };
  const list = () => {
    const wanted = Object.fromEntries(new FormData(form));
    shown = orders.list.filter((order) => orderMatches(order, wanted));
    body.replaceChildren(...shown.slice(0, LISTED).map((order) => orderRow(orders, order)));
    byId('orders-shown').textContent = shown.length === orders.list.length
      ? `${thousands(shown.length)} orders` : `${thousands(shown.length)} of ${thousands(orders.list.length)} orders`;
    byId('order-more').hidden = shown.length <= LISTED;
    byId('order-more').textContent = `The first ${LISTED}; a search finds the others.`;
    box.scrollTop = 0;
    mark();
    go = walkRows(box, [...body.rows]);
  };
  const choose = (order) => {
    chosen = order;
    mark();
    showOrder(orders, order, shown);
    history.replaceState(null, '', `#order=${encodeURIComponent(order.id)}`);
  };
  form.addEventListener('input', list);
  form.addEventListener('reset', () => setTimeout(list));
  // A served report may submit no form: the key is taken before it comes to that.
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target.tagName !== 'INPUT') return;
    event.preventDefault();
    if (shown.length) choose(shown[0]);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target === box) box.querySelector('tr.current a')?.click();
  });
  box.addEventListener('focus', () => box.querySelector('tr.current') ?? go(0));
  for (const part of [form, box]) part.hidden = false;
  list();
  return () => {
    const match = /^#order=(.*)$/.exec(location.hash);
    if (!match) return;
    let id;
    try {
      id = decodeURIComponent(match[1]);
    } catch {
      return;
    }
    const order = orders.list.find((order) => order.id === id);
    if (!order) return;
    choose(order);
    byId('saga').scrollIntoView({ block: 'start' });
  };
};

/** The arrow keys walk through a list of rows; only their box scrolls. */
const walkRows = (box, rows) => {
  box.walked?.abort();
  box.walked = new AbortController();
  return walk(box, rows, ['ArrowUp', 'ArrowDown'], (row) => {
    if (row.offsetTop < box.scrollTop + 32) box.scrollTop = row.offsetTop - 32;
    else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight;
    }
  }, box.walked.signal);
};

/** Fills the panel below the list. */
const showOrder = (orders, order, shown) => {
  const at = shown.indexOf(order), near = (place) => (at >= 0 ? shown[place] : undefined);
  const [before, after] = [near(at - 1), near(at + 1)];
  byId('saga').hidden = false;
  byId('saga').replaceChildren(
    el('h3', {}, `Order ${visible(order.id)}: ${order.ended}${order.compensated ? ', compensated' : ''}`),
    el('p', {}, visible(`customer ${order.customer}, ${order.quantity} × ${order.item}, amount ${order.amount}${order.address && `, to ${order.address}`}`)),
    ...(order.finding ? [el('p', {}, el('a', { href: `#anomaly-${order.finding}` }, `Named by finding ${order.finding}`))] : []),
    storyBox(orders.story(order)),
    el('div', { class: 'row' },
      ...(before ? [el('span', {}, 'before: ', orderLink(before))] : []),
      ...(after ? [el('span', {}, 'after: ', orderLink(after))] : []),
      el('span', { class: 'quiet' }, 'a link to this order: '), orderLink(order, `#order=${order.id}`)),
  );
};
