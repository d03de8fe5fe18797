// Walking through the messages of a diagram and the edges of a cycle, and what they say.

const listenLamport = () => {
  for (const box of document.querySelectorAll('.lamport')) {
    const messages = [...box.querySelectorAll('.msg')];
    const told = box.parentElement.querySelector('.told');
    const go = walk(box, messages, ['ArrowLeft', 'ArrowRight'], (message) => {
      told.textContent = message.querySelector('title').textContent;
      // Only the box scrolls, not the page.
      const here = message.getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      if (here.left < frame.left + 60 || here.right > frame.right - 20) {
        box.scrollLeft += here.left - frame.left - frame.width / 3;
      }
    });
    box.addEventListener('click', (event) => {
      const message = event.target.closest('.msg');
      if (message) go(messages.indexOf(message));
    });
    // What went wrong is at the end.
    box.scrollLeft = box.scrollWidth;
  }
};

/** An edge and its sentence are marked together, whichever of them is pointed at. */
const listenCycles = () => {
  for (const view of document.querySelectorAll('.cycle-view')) {
    const box = view.querySelector('.cycle');
    if (!box) continue;
    const edges = [...box.querySelectorAll('.edge')];
    const sentences = [...view.querySelectorAll('.cycle-steps li')];
    let marked = null;
    const go = walk(box, edges, ['ArrowLeft', 'ArrowRight'], (edge, before, at) => {
      marked?.classList.remove('current');
      marked = sentences[at];
      marked?.classList.add('current');
    });
    box.addEventListener('focus', () => box.querySelector('.edge.current') ?? go(0));
    view.addEventListener('mouseover', (event) => {
      const at = Math.max(edges.indexOf(event.target.closest('.edge')), sentences.indexOf(event.target.closest('li')));
      if (at >= 0) go(at);
    });
  }
};
