// An order's ETag is its version, so If-Match means "only if nothing has happened since I looked".

/** The headers of an answer that shows an order; none where there is no order, as in a dry run. */
export function etagOf(order: { version: number } | undefined): Record<string, string> {
  return order === undefined ? {} : { etag: `"${order.version}"` };
}

/** The version a checked If-Match names; `*` is any, because an order that is gone answers 404 anyway. */
export function versionOf(ifMatch: string | undefined): number | undefined {
  const digits = /\d+/.exec(ifMatch ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}
