// The buttons that copy an id or a link.
/** How long a button says that it has copied, in ms. */
const SAID_MS = 1_500;

async function copy(text) {
  // The clipboard is there over https and on this machine only; elsewhere the old way works.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  if (!isDone) throw new Error('the browser does not copy');
}

const reveal = root => {
  for (const button of root.querySelectorAll('[data-copy]')) button.hidden = false;
};
window.paylatch.prepare.push(reveal);
reveal(document);

document.addEventListener('click', async event => {
  const button = event.target instanceof Element ? event.target.closest('[data-copy]') : null;
  if (!button) return;
  const said = document.getElementById('said');
  try {
    await copy(button.dataset.copy);
    button.classList.add('copied');
    if (said) said.textContent = 'Copied';
  } catch {
    if (said) said.textContent = 'The browser did not copy it';
  }
  setTimeout(() => {
    button.classList.remove('copied');
    if (said) said.textContent = '';
  }, SAID_MS);
  button.focus();
});
