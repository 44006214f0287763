// Instants as people read them, always in UTC and saying so: the page is the same for everybody who looks at it.

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const TIME = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZone: 'UTC',
});

/** `22 December 2026, 07:36 UTC`, from ISO 8601. */
export const day = (iso: string): string => `${DAY.format(new Date(iso))}, ${iso.slice(11, 16)} UTC`;
/** `07:36:43.221 UTC` */
export const time = (iso: string): string => `${TIME.format(new Date(iso))} UTC`;
/** `22 Nov 2026, 07:36:43.221 UTC` */
export const moment = (iso: string): string => `${SHORT_DAY.format(new Date(iso))}, ${time(iso)}`;
