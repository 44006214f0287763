// The hosted pay page: its buttons, its safety, and money written as people write it.
import { describe, expect, it } from 'vitest';
import { formatAmount } from '../src/pages/formatAmount.ts';
import { PAY_SCENARIOS } from '../src/providers/sandbox/serverScenarios.ts';
import { useSandbox } from './support/sandboxRig.ts';

const rig = useSandbox();
const { api, open, provider, received } = rig;

describe('the pay page', () => {
  const page = async (id: string) => {
    const response = await fetch(`${rig.server.url}/pay/${id}`);
    return { response, html: await response.text() };
  };
  const press = (id: string, fields: Record<string, string>) =>
    fetch(`${rig.server.url}/pay/${id}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
  const attemptOf = (html: string) => /name="attempt" value="([^"]+)"/.exec(html)![1]!;

  it('shows the amount and a button for every story', async () => {
    const { response, html } = await page(await open());
    expect(response.status).toBe(200);
    expect(html).toContain('₹499.00');
    const buttons = [...html.matchAll(/<button[^>]*name="scenario" value="([^"]+)"/g)].map(match => match[1]);
    expect(buttons.sort()).toEqual([...PAY_SCENARIOS.keys()].sort());
  });

  it('sends the browser back with a signed callback, whatever query the callback had', async () => {
    const id = await open();
    const response = await press(id, { scenario: 'succeed', attempt: attemptOf((await page(id)).html) });
    expect(response.status).toBe(303);
    const url = new URL(response.headers.get('location')!);
    expect(url.origin + url.pathname).toBe('http://shop.test/v1/callbacks/sandbox');
    expect(url.searchParams.get('from')).toBe('pay');
    const call = {
      body: Buffer.from(''),
      headers: {},
      query: Object.fromEntries(url.searchParams),
      rawQuery: '',
      contentType: '',
      kind: null,
    };
    expect(await provider().parseCallback(call)).toMatchObject({ event: { type: 'payment.captured' } });
    await received(1);
  });

  it('takes a double click as one payment, and a page shown again as another', async () => {
    const id = await open();
    const attempt = attemptOf((await page(id)).html);
    const clicks = await Promise.all([1, 2, 3].map(() => press(id, { scenario: 'succeed', attempt })));
    expect(new Set(clicks.map(click => click.headers.get('location'))).size).toBe(1);
    const { html } = await page(id);
    expect(html).toContain('This order is paid.');
    expect(attemptOf(html)).not.toBe(attempt);
    await press(id, { scenario: 'succeed', attempt: attemptOf(html) });
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(2);
  });

  it('leaves the browser where it is when the customer never comes back', async () => {
    const id = await open();
    const response = await press(id, { scenario: 'callback-never', attempt: 'a' });
    expect(response.headers.get('location')).toBe(`${rig.server.url}/pay/${id}`);
    await received(1);
  });

  it('escapes what orders hold and allows no script', async () => {
    const planId = '"><script>alert(1)</script>';
    const { response, html } = await page(await open({ planId, userId: "<img/onerror='x'>" }));
    expect(html).not.toMatch(/<script|<img|\sstyle=|\son\w+=/);
    expect(html).toContain('&quot;&gt;&lt;script&gt;');
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const css = await fetch(`${rig.server.url}/assets/pay.css`);
    expect(css.headers.get('content-type')).toContain('text/css');
  });

  it('of a closed order takes no payment', async () => {
    const id = await open();
    await api('POST', `/orders/${id}/close`);
    expect((await page(id)).html).toContain('takes no more payments');
    expect((await press(id, { scenario: 'succeed', attempt: 'a' })).status).toBe(410);
    expect((await api('GET', `/orders/${id}`)).json.payments).toEqual([]);
  });

  it('refuses forms it did not make and orders it does not know', async () => {
    const id = await open();
    for (const fields of [
      {},
      { scenario: 'refund', attempt: 'a' },
      { scenario: 'succeed' },
      { scenario: 'succeed', attempt: ' ' },
    ]) {
      expect((await press(id, fields as Record<string, string>)).status).toBe(400);
    }
    expect((await press(id, { scenario: 'succeed', attempt: 'x'.repeat(5_000) })).status).toBe(413);
    expect((await page('sbo_unknown')).response.status).toBe(404);
  });

  it.each([
    [500, 'JPY', '¥500'],
    [500, 'KWD', 'KWD 0.500'],
    [49900, 'INR', '₹499.00'],
    [5, 'USD', '$0.05'],
    [123456789, 'RUB', 'RUB 1,234,567.89'],
  ])('writes %i %s as %s', (amountMinor, currency, text) => {
    expect(formatAmount(amountMinor, currency).replace(/\s/gu, ' ')).toBe(text);
  });
});
