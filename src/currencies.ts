// The currencies a plan may be sold in.

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** True for an ISO 4217 code in capitals that the runtime knows, and can therefore count and show. */
export const isCurrency = (code: string): boolean => CURRENCIES.has(code);
