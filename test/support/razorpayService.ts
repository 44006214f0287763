// The service with Razorpay as its only provider: the real adapter, talking to the played Razorpay, whose webhooks and
// browsers come over HTTP like the real ones.
import { createRazorpayProvider, type RazorpayProvider } from '../../src/providers/razorpay/adapter.ts';
import { type ProviderService, startProviderService, type Told } from './providerService.ts';
import { callbackFields, envelope, type Fields, RAZORPAY, signedWebhook } from './razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './razorpayServer.ts';

export type RazorpayService = ProviderService<RazorpayProvider> & {
  bank: RazorpayServer;
  /** Tells an event of Razorpay's; `eventId` repeats an earlier one. */
  webhook(event: string, payload: Fields, more?: { eventId?: string; at?: number }): Promise<Told>;
  /** The handler's JSON. */
  callback(payment: Fields): Promise<Told>;
  /** The form that checkout posts to callback_url. */
  form(fields: Record<string, string>): Promise<Told>;
};

export async function startRazorpayService(): Promise<RazorpayService> {
  const bank = await startRazorpay();
  const settings = { ...RAZORPAY, apiUrl: bank.url };
  const service = await startProviderService({
    make: ({ clock }, publicUrl) => createRazorpayProvider({ settings, publicUrl, clock, jitter: () => 0 }),
    plan: { amountMinor: 49_900, currency: 'INR' },
  });
  const { call } = service;
  let events = 0;
  return {
    ...service,
    bank,
    webhook(event, payload, { eventId = `Evt${++events}`, at = 1_772_000_300 + events } = {}) {
      const { body, headers } = signedWebhook(envelope(event, payload, at), { eventId });
      return call('POST', '/v1/webhooks/razorpay', body, headers);
    },
    callback: payment =>
      call('POST', '/v1/callbacks/razorpay', callbackFields(String(payment.id), String(payment.order_id))),
    form: fields => call('POST', '/v1/callbacks/razorpay', new URLSearchParams(fields)),
    async close() {
      await service.close();
      await bank.close();
    },
  };
}
