// Money as the sentences of the chart say it: `499.00 INR`. Whoever reads them is a person, and a person reads 49900 as what
// it is not.

const digitsOf = new Map<string, number>();

/** With as many decimals as the currency has, and its code behind: a sign alone may mean several currencies. */
export function amountText(amountMinor: number, currency: string): string {
  let digits = digitsOf.get(currency);
  if (digits === undefined) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    digits = format.resolvedOptions().maximumFractionDigits ?? 0;
    digitsOf.set(currency, digits);
  }
  return `${(amountMinor / 10 ** digits).toFixed(digits)} ${currency}`;
}
