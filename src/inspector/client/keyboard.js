// Keys: `/` searches, `j` and `k` go from row to row, Enter opens what has the focus by itself, `?` lists the keys.
const help = document.getElementById('help');
const search = document.getElementById('search');
const button = document.getElementById('keys');

const isTyping = element =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

/** Rows carry `data-row` and a link: to have the row is to have its link. */
function move(step) {
  const rows = [...document.querySelectorAll('[data-row]')].filter(row => row.getClientRects().length > 0);
  if (rows.length === 0) return;
  const now = rows.findIndex(row => row.contains(document.activeElement));
  const next = now === -1 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + step));
  const target = rows[next].matches('a[href]') ? rows[next] : rows[next].querySelector('a[href]');
  target?.focus();
  rows[next].scrollIntoView({ block: 'nearest' });
}

const KEYS = {
  '/': () => {
    search?.focus();
    search?.select();
  },
  j: () => move(1),
  k: () => move(-1),
  '?': () => help?.showModal(),
};

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === 'Escape' && isTyping(document.activeElement)) return document.activeElement.blur();
  if (isTyping(event.target) || help?.open) return;
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!act) return;
  event.preventDefault();
  act();
});

if (button && help) {
  button.hidden = false;
  button.addEventListener('click', () => help.showModal());
}
