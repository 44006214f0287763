// Which parts of a provider's body a person may see. An allow-list: only keys known to be harmless are shown, and of those
// only values that look as that key's values look. Everything else keeps its place and its length and loses its content.

/** What a harmless key holds, and so what its value must look like to be shown. */
type Shape = 'id' | 'amount' | 'word' | 'time' | 'text' | 'flag';

const AS = (shape: Shape, names: string) => names.split(' ').map((name): [string, Shape] => [name, shape]);

/** By normalised name: lower case, letters and digits only. */
const HARMLESS: ReadonlyMap<string, Shape> = new Map([
  ...AS(
    'id',
    'id receipt invoice subscription charge refund dispute payout mandate paymentintent latestcharge customer price balancetransaction accountid sourcetransaction source rrn arn utr terminal parent reference idempotencykey deadline',
  ),
  ...AS(
    'amount',
    'amount amountminor amountrefunded amountpaid amountdue amountcaptured amountcapturable amountreceived amountsubtotal amounttotal amountremaining paymentamount totalamount baseamount subtotal total fee tax fees net quantity attemptcount attempts pendingwebhooks setatversion period interval intervalcount periodcount maxperiods',
  ),
  ...AS(
    'word',
    'plan planid product productid type event eventtype object entity state status paymentstatus refundstatus statuscode operationtype currency paymentcurrency basecurrency method paymentmethodtypes collectionmethod billingreason cancellationreason reasoncode errorcode errorreason errorsource errorstep failurecode declinecode networkstatus outcome risklevel sellermessage mode kind apiversion by cardtype network issuercountry currencycode gatewayname contains disputestatus phase rule',
  ),
  ...AS(
    'time',
    'at created createdat updated updatedat occurredat datetime date time timestamp capturedat authorizedat paidat failedat refundedat canceledat cancelledat expireby expiresat dueby duedate periodstart periodend currentstart currentend currentperiodstart currentperiodend startat endat chargeat startdate nexttransactiondateiso createddateiso authdateiso confirmdateiso payoutdateiso',
  ),
  ...AS('text', 'reason failuremessage failurereason errordescription cardholdermessage'),
  ...AS('flag', 'live livemode testmode captured international refunded paid disputed success closed final'),
]);

/** Whatever ends so names something: `paymentId`, `order_id`. */
const ID_ENDING = /.ids?$/;
/** Of names that are not in the list: who somebody is, how to reach them, what they pay with, what opens a door. */
const PRIVATE =
  /mail|phone|mobile|contact|name|addr|street|city|zip|postal|card|pan|iban|bank|account|vpa|upi|wallet|tax|birth|passport|national|token|secret|sign|hash|passw|credential|crypto|session|cookie|auth|key|ip|device|finger|agent/;

const LOOKS: Readonly<Record<Shape, RegExp>> = {
  // A name of a person has no digit; ids nearly always have.
  id: /^(?=.*\d)[A-Za-z0-9._:-]{1,255}$/,
  amount: /^-?\d{1,18}([.,]\d{1,6})?$/,
  word: /^[A-Za-z0-9._:/ -]{1,64}$/,
  time: /^[0-9TZ.:+ /-]{1,40}$/,
  text: /^[^\0]{1,1000}$/,
  flag: /^(true|false|0|1|yes|no)$/i,
};

/** Patterns of what must not be seen even under a harmless key, each with what is put in its place. */
const PERSONAL: readonly [RegExp, string][] = [
  [/[^\s@<>"',;]{1,64}@[^\s@<>"',;]{1,255}/g, '‹e-mail›'],
  [/\b(?:sk|rk|pk|whsec|rzp|shpat|ghp|xox[a-z])_[A-Za-z0-9_+/=-]{6,}/g, '‹secret›'],
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, '‹token›'],
  [/\b(?:bearer|basic)\s+[\w.+/=-]{8,}/gi, '‹secret›'],
  [/\+\d[\d ()-]{6,18}\d/g, '‹phone›'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '‹address›'],
  [/\bhttps?:\/\/\S+/gi, '‹link›'],
];
/** The last digits of a card as people write them: `*1234`, `xxxx 1234`, `ending in 1234`. */
const LAST_DIGITS = /(?:[*•xX]{2,}[ -]?|[*•]|ending (?:in |with )?)\d{4}\b/g;
/** Inside a sentence a long number is a telephone, an account or a card more often than anything else. */
const LONG_NUMBER = /(?<![\w.])\d(?:[ -]?\d){8,}(?![\w.])/g;
const CARD_LIKE = /(?<![\w.])[2-6]\d(?:[ -]?\d){11,17}(?![\w.])/g;

const normalised = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]/g, '');

/** What is in the list is shown; what only ends like an id is, unless its name tells that it is somebody's. */
function shapeOf(key: string): Shape | null {
  const name = normalised(key);
  const listed = HARMLESS.get(name);
  if (listed) return listed;
  return ID_ENDING.test(name) && !PRIVATE.test(name) ? 'id' : null;
}

/** The value as it may be shown under this key, or null where it must not be. */
export function shownValue(key: string, value: string | number): string | number | null {
  const shape = shapeOf(key);
  if (shape === null) return null;
  const text = String(value);
  if (!LOOKS[shape].test(text)) return null;
  if (shape === 'amount' || shape === 'flag') return value;
  const clean = withoutPersonal(text, shape === 'text');
  if (shape !== 'text' && clean !== text) return null;
  return clean === text ? value : clean;
}

/** A key is text of the sender, too: an address may be used as one. */
export function shownKey(key: string): string {
  return /^[\w .:/[\]-]{1,128}$/.test(key) && withoutPersonal(key, true) === key ? key : '‹masked key›';
}

function withoutPersonal(text: string, hasWords: boolean): string {
  let clean = text;
  for (const [pattern, instead] of PERSONAL) clean = clean.replace(pattern, instead);
  clean = clean.replace(CARD_LIKE, digits => (isCardNumber(digits) ? '‹card›' : digits));
  return hasWords ? clean.replace(LAST_DIGITS, '‹card›').replace(LONG_NUMBER, '‹number›') : clean;
}

/** Luhn's check: one in ten numbers passes by chance, every card does. */
function isCardNumber(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce((total, digit, i) => {
    const counted = i % 2 === 0 ? digit : digit * 2;
    return total + (counted > 9 ? counted - 9 : counted);
  }, 0);
  return sum % 10 === 0;
}

/** What stands where a value was: its kind and its size tell whether it came at all. */
export function maskOf(value: string | number): string {
  const text = String(value);
  if (text === '') return '';
  if (typeof value === 'number') return '‹masked: a number›';
  const { length } = [...text];
  return `‹masked: ${length === 1 ? '1 character' : `${length} characters`}›`;
}
