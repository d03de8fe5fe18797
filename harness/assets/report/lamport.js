// Walking through the messages of a diagram: the arrow keys or a click, and what they say.

const listenLamport = () => {
  for (const box of document.querySelectorAll('.lamport')) {
    const messages = [...box.querySelectorAll('.msg')];
    const told = box.parentElement.querySelector('.told');
    let at = -1;
    const show = (to) => {
      messages[at]?.classList.remove('current');
      at = Math.max(0, Math.min(to, messages.length - 1));
      const message = messages[at];
      if (!message) return;
      message.classList.add('current');
      told.textContent = message.querySelector('title').textContent;
      // Only the box scrolls, not the page.
      const here = message.getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      if (here.left < frame.left + 60 || here.right > frame.right - 20) {
        box.scrollLeft += here.left - frame.left - frame.width / 3;
      }
    };
    box.addEventListener('keydown', (event) => {
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: messages.length - 1 }[event.key];
      if (to === undefined || event.target !== box) return;
      event.preventDefault();
      event.stopPropagation();
      show(to);
    });
    box.addEventListener('click', (event) => {
      const message = event.target.closest('.msg');
      if (message) show(messages.indexOf(message));
    });
    // What went wrong is at the end.
    box.scrollLeft = box.scrollWidth;
  }
};
