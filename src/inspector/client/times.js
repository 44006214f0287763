// Shows instants in the reader's own time, with UTC on hover, and keeps "3 min ago" true while the page stands.
/** Between two looks at what is relative, in ms: the smallest unit shown is a second. */
const TICK_MS = 1_000;
const two = number => String(number).padStart(2, '0');
const local = date =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** The largest unit only, as the server writes it. */
function coarse(ms) {
  const s = Math.floor(ms / 1_000);
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

function show(time, now) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const ms = now - at.getTime();
  const words = !('age' in time.dataset) ? local(at) : ms >= 0 ? `${coarse(ms)} ago` : `in ${coarse(-ms)}`;
  if (time.textContent !== words) time.textContent = words;
}

function showAll(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll('time[datetime]')) show(time, now);
}

// Other scripts bring in new content; it passes here before it is shown.
window.paylatch = { prepare: [showAll] };
showAll(document);
const zone = document.getElementById('zone');
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (zone && timeZone !== 'UTC') zone.textContent = `Times are in ${timeZone}, UTC on hover`;
setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  for (const time of document.querySelectorAll('time[data-age]')) show(time, now);
}, TICK_MS);
