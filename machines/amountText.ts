// Money as the chart's sentences say it: `499.00 INR`. People read those sentences, and would read 49900 as too much.

const known = new Map<string, number>();

/** How many decimals a currency has: 2 of INR, none of JPY, 3 of KWD. */
export function decimalsOf(currency: string): number {
  let decimals = known.get(currency);
  if (decimals === undefined) {
    // Making a format takes longer than everything else here, so each currency is asked for once.
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    decimals = format.resolvedOptions().maximumFractionDigits ?? 0;
    known.set(currency, decimals);
  }
  return decimals;
}

/** `499.00`, or `500` of yen: as somebody would type it. */
export function plainAmount(amountMinor: number, currency: string): string {
  const decimals = decimalsOf(currency);
  return (amountMinor / 10 ** decimals).toFixed(decimals);
}

/** `499.00 INR`: with the code behind it, because a sign alone may mean several currencies. */
export const amountText = (amountMinor: number, currency: string): string =>
  `${plainAmount(amountMinor, currency)} ${currency}`;
