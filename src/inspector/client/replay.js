// Arrow keys, Home and End go where the replay's own links go.
const STEPS = { ArrowLeft: 'prev', ArrowRight: 'next', Home: 'first', End: 'last' };

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (!Object.hasOwn(STEPS, event.key) || document.querySelector('dialog[open]')) return;
  // In a field, and in what scrolls sideways, these keys have another meaning.
  if (event.target.closest?.('input, textarea, select, [contenteditable], pre, .scroll, .chart-box')) return;
  const link = document.querySelector(`a[data-step="${STEPS[event.key]}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
