// Where a provider shows its own objects: the pages of its dashboard, by the beginnings of its ids. A link is made only for
// an id that looks like one of that provider's.

export type ProviderPage = { label: string; href: string };

type Place = { pattern: RegExp; label: string; path: string };
type Dashboard = { title: string; base: (live: boolean) => string; places: readonly Place[] };

const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  // docs.stripe.com/dashboard/basics: test mode has a path of its own.
  stripe: {
    title: 'Stripe',
    base: live => `https://dashboard.stripe.com${live ? '' : '/test'}`,
    places: [
      { pattern: /^(pi|ch|py)_\w+$/, label: 'The payment', path: '/payments/' },
      { pattern: /^sub_\w+$/, label: 'The subscription', path: '/subscriptions/' },
      { pattern: /^evt_\w+$/, label: 'The event', path: '/events/' },
    ],
  },
  // One address for both modes: the dashboard's own switch says which is shown.
  razorpay: {
    title: 'Razorpay',
    base: () => 'https://dashboard.razorpay.com/app',
    places: [
      { pattern: /^pay_\w+$/, label: 'The payment', path: '/payments/' },
      { pattern: /^order_\w+$/, label: 'The order', path: '/orders/' },
      { pattern: /^rfnd_\w+$/, label: 'The refund', path: '/refunds/' },
      { pattern: /^disp_\w+$/, label: 'The dispute', path: '/disputes/' },
      { pattern: /^sub_\w+$/, label: 'The subscription', path: '/subscriptions/' },
    ],
  },
};

/** The provider's own pages of these ids. */
export function providerPages(provider: string, live: boolean | null, ids: readonly (string | null)[]): ProviderPage[] {
  const dashboard = Object.hasOwn(DASHBOARDS, provider) ? DASHBOARDS[provider] : undefined;
  if (!dashboard) return [];
  return [...new Set(ids)].flatMap(id => {
    const place = id === null ? undefined : dashboard.places.find(({ pattern }) => pattern.test(id));
    if (!place || id === null) return [];
    const href = `${dashboard.base(live ?? true)}${place.path}${encodeURIComponent(id)}`;
    return [{ label: `${place.label} in ${dashboard.title}’s dashboard`, href }];
  });
}
