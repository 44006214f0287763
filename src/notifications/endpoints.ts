// Endpoints as merchants manage them: made, changed, given a new secret, tried out.
import {
  deleteEndpoint,
  type EndpointRow,
  insertEndpoint,
  listEndpoints,
  readEndpoint,
  rotateEndpoint,
  updateEndpoint,
} from '../../db/endpoints.ts';
import { resolveFindings } from '../../db/findings.ts';
import { InvalidRequest, NotFound } from '../errors.ts';
import { AddressRefused, allowedAddresses, endpointUrl } from './address.ts';
import { attemptView } from './attemptView.ts';
import { type DeliveryDeps, deliver, disabledFinding, signingKey } from './delivery.ts';
import {
  type EndpointView,
  MAX_ENDPOINTS,
  type NotificationsApi,
  PREVIOUS_SECRET_MS,
  TEST_TYPE,
  type Topic,
} from './notification.ts';
import { endpointSecret } from './secrets.ts';

const TEST_REASON = 'a test was asked for';
const BY_HAND = 'Disabled by hand.';

export function endpointsApi(deps: DeliveryDeps): NotificationsApi['endpoints'] {
  const { db, clock, newId } = deps;
  return {
    async create({ url, topics }) {
      const key = signingKey(deps);
      const checked = await checkedUrl(deps, url);
      const made = { id: newId('ept'), url: checked, topics, at: clock(), limit: MAX_ENDPOINTS };
      const inserted = await insertEndpoint(db, made);
      if (inserted.row) return withSecret(key, inserted.row);
      if (inserted.full) throw new InvalidRequest(`There are ${MAX_ENDPOINTS} endpoints already; remove one first.`);
      throw new InvalidRequest(`Endpoint ${inserted.sameUrl} has this URL; another would be told everything twice.`);
    },
    list: async () => (await listEndpoints(db)).map(endpointView),
    get: async id => endpointView(known(await readEndpoint(db, id), id)),
    async change(id, { url, topics, enabled }) {
      const change = {
        ...(url !== undefined && { url: await checkedUrl(deps, url) }),
        ...(topics !== undefined && { topics }),
        ...(enabled !== undefined && { disabledReason: enabled ? null : BY_HAND }),
      };
      const row = known(await updateEndpoint(db, id, change, clock()), id);
      if (enabled) await resolveFindings(db, [disabledFinding(id)], clock());
      return endpointView(row);
    },
    async remove(id) {
      if (!(await deleteEndpoint(db, id))) known(null, id);
      await resolveFindings(db, [disabledFinding(id)], clock());
    },
    async rotate(id) {
      const key = signingKey(deps);
      const at = clock();
      const until = new Date(at.getTime() + PREVIOUS_SECRET_MS);
      return withSecret(key, known(await rotateEndpoint(db, id, until, at), id));
    },
    async test(id) {
      const row = known(await readEndpoint(db, id), id);
      const body = JSON.stringify({ type: TEST_TYPE, timestamp: clock().toISOString(), data: { endpointId: id } });
      const occasion = { trigger: 'manual', reason: TEST_REASON } as const;
      return attemptView(await deliver(deps, row, { id: newId('tst'), body }, occasion));
    },
  };
}

/** Refused now rather than at the first notification; each delivery checks again, because names move. */
async function checkedUrl(deps: DeliveryDeps, text: string): Promise<string> {
  try {
    const url = endpointUrl(text, deps);
    await allowedAddresses(url, deps, deps.resolve);
    return url.href;
  } catch (error) {
    if (error instanceof AddressRefused) throw new InvalidRequest(`url ${error.message}.`);
    throw new InvalidRequest('url names a host that cannot be found; check its spelling, or come again later.');
  }
}

function known(row: EndpointRow | null, id: string): EndpointRow {
  if (!row) throw new NotFound(`there is no endpoint ${id}`);
  return row;
}

function withSecret(key: string, row: EndpointRow): { endpoint: EndpointView; secret: string } {
  return { endpoint: endpointView(row), secret: endpointSecret(key, row.id, row.generation) };
}

function endpointView(row: EndpointRow): EndpointView {
  return {
    id: row.id,
    url: row.url,
    topics: row.topics as Topic[] | null,
    enabled: row.disabledAt === null,
    disabledAt: row.disabledAt?.toISOString() ?? null,
    disabledReason: row.disabledReason,
    generation: row.generation,
    previousUntil: row.previousUntil?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
