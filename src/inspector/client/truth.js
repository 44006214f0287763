// Asks the provider without leaving the order's page. Without this script the same form opens a page of its own.

document.addEventListener('submit', async event => {
  const form = event.target instanceof Element ? event.target.closest('form.ask-provider') : null;
  const place = document.getElementById('provider-truth');
  if (!form || !place) return;
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  place.setAttribute('aria-busy', 'true');
  try {
    const response = await fetch(form.action, { headers: { 'x-fragment': 'truth' }, redirect: 'manual' });
    // Signed out, or trouble that has a page of its own: that page says it better.
    if (!(response.headers.get('content-type') ?? '').startsWith('text/html'))
      throw new Error(`answered ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const prepare of window.paylatch.prepare) prepare(page);
    place.replaceChildren(...page.body.childNodes);
    place.scrollIntoView({ block: 'nearest' });
  } catch {
    location.assign(form.action);
  } finally {
    button.disabled = false;
    place.removeAttribute('aria-busy');
  }
});
