// Brings what another version of a page has into this one, changing only what differs, so that focus, selection, scroll
// and what the reader opened or is typing stay as they are.

/** What the reader opened or typed is theirs. */
const isKept = (element, name) =>
  (name === 'open' && element.tagName === 'DETAILS') || (name === 'value' && element === document.activeElement);

const isAlike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? '') === (b.id ?? '');

function takeOver(old, fresh) {
  takeAttributes(old, fresh);
  if (!old.matches('[data-keep], form:focus-within')) takeChildren(old, fresh);
}

function takeAttributes(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  }
}

function takeChildren(old, fresh) {
  const byId = new Map([...old.children].filter(child => child.id).map(child => [child.id, child]));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const known = next.id ? byId.get(next.id) : null;
    if (known && known !== at) {
      old.insertBefore(known, at);
      at = known;
    }
    if (at && isAlike(at, next)) {
      const following = at.nextSibling;
      if (at.nodeType === Node.ELEMENT_NODE) takeOver(at, next);
      else if (at.nodeValue !== next.nodeValue) at.nodeValue = next.nodeValue;
      at = following;
    } else {
      old.insertBefore(document.importNode(next, true), at);
    }
  }
  while (at) {
    const following = at.nextSibling;
    at.remove();
    at = following;
  }
}

window.paylatch.takeOver = takeOver;
