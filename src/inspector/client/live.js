// Keeps the page's `data-live` regions true. The server says when something changed; then the page fetches itself and
// takes over what differs. Where that stream does not work the page asks by itself. What the indicator says is what was
// heard, never what is hoped: live only while the server says that it still looks.

/** Without a word for so long, in ms, the stream is silent: two and a half of the server's beats. */
const SILENCE_MS = 10_000;
/** A page that heard of a change and does not have it is behind after this, in ms. */
const BEHIND_MS = 3_000;
/** Between two fetches where the stream does not work, in ms. */
const POLL_MS = 5_000;
/** Before the stream is tried again where it was refused or went silent, in ms. */
const AGAIN_MS = 30_000;
/** How long one fetch may take, in ms: longer than the server's own limit. */
const FETCH_MS = 9_000;
/** Between two looks at oneself, in ms. */
const TICK_MS = 1_000;

const indicator = document.getElementById('live');
let source = null;
/** When the server last spoke; when it last told of a change; until when this page is known to be true. */
let heardAt = 0;
let changedAt = 0;
let currentAt = Date.now();
let askedAt = Date.now();
let tryAt = 0;
let isFetching = false;
let isWantedAgain = false;
let hasFailed = false;
let isOut = false;

const isSilent = now => now - heardAt >= SILENCE_MS;
const isBehind = now => changedAt > currentAt && now - changedAt >= BEHIND_MS;

function say(state, words) {
  const text = indicator.querySelector('.words');
  indicator.dataset.state = state;
  if (text.textContent !== words) text.textContent = words;
}

function tell() {
  const now = Date.now();
  const since = `Not live since ${new Date(currentAt).toTimeString().slice(0, 5)}`;
  if (isOut) say('off', 'Signed out');
  else if (hasFailed || isBehind(now)) say('off', since);
  else if (!isSilent(now)) say('live', 'Live');
  else if (now - currentAt < POLL_MS + SILENCE_MS) say('polling', `Asks every ${POLL_MS / 1_000} s`);
  else say('off', since);
}

/** Fetches this page and takes over its regions. */
async function refresh() {
  if (isFetching) {
    isWantedAgain = true;
    return;
  }
  isFetching = true;
  isWantedAgain = false;
  askedAt = Date.now();
  const trueAt = askedAt;
  try {
    takeRegions(await fetchedPage());
    currentAt = trueAt;
    hasFailed = false;
  } catch {
    hasFailed = true;
  }
  isFetching = false;
  tell();
  if (isWantedAgain && !hasFailed) void refresh();
}

async function fetchedPage() {
  const response = await fetch(location.href, {
    headers: { accept: 'text/html', 'x-fragment': '1' },
    signal: AbortSignal.timeout(FETCH_MS),
    redirect: 'manual',
  });
  if (response.status === 401) leave();
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

function takeRegions(page) {
  for (const prepare of window.paylatch.prepare) prepare(page);
  for (const region of document.querySelectorAll('[data-live]')) {
    const fresh = page.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
    if (fresh) window.paylatch.takeOver(region, fresh);
  }
  document.title = page.title;
}

function listen() {
  source = new EventSource(indicator.dataset.url);
  source.addEventListener('beat', heard);
  source.addEventListener('changed', () => {
    changedAt = Date.now();
    heard();
    void refresh();
  });
  source.addEventListener('error', () => {
    heardAt = 0;
    // Closed for good: refused, or signed out. Otherwise the browser comes back by itself.
    if (source?.readyState === EventSource.CLOSED) hangUp();
  });
}

function heard() {
  heardAt = Date.now();
  if (currentAt >= changedAt && !hasFailed) currentAt = heardAt;
  tell();
}

function hangUp() {
  source?.close();
  source = null;
  heardAt = 0;
  tryAt = Date.now() + AGAIN_MS;
}

/** The session is over: nothing is asked any more, and what the page shows is as old as it says. */
function leave() {
  isOut = true;
  hangUp();
  // The same address asks for the key and leads back here.
  const link = document.createElement('a');
  link.href = location.href;
  link.textContent = 'Sign in';
  indicator.append(link);
}

function tick() {
  const now = Date.now();
  if (!document.hidden && !isOut) {
    if (source && heardAt > 0 && now - heardAt >= AGAIN_MS) hangUp();
    if (!source && now >= tryAt) listen();
    const isNeeded = hasFailed || isSilent(now) || isBehind(now);
    if (isNeeded && !isFetching && now - askedAt >= POLL_MS) void refresh();
  }
  tell();
}

function start() {
  say('waiting', 'Connecting');
  listen();
  setInterval(tick, TICK_MS);
  // A hidden page gives its connection back: browsers open few to one host, and many tabs would use them up.
  document.addEventListener('visibilitychange', () => {
    if (isOut) return;
    hangUp();
    if (document.hidden) return;
    void refresh();
    listen();
  });
  // A page that comes back from the browser's own cache is as old as it was left.
  window.addEventListener('pageshow', event => event.persisted && void refresh());
}

if (indicator) start();
