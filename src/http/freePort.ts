// Where the service will listen and be reached, known before it listens: others are told the address first.
import { createServer, isIP } from 'node:net';
import { refuseForAddress } from '../startTrouble.ts';

/** The port asked for, or for 0 one that nobody listens on now; taken again a moment later. @throws ConfigError */
export function freePort(host: string, asked: number): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(asked, host, () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  }).catch(error => refuseForAddress('PORT', host, asked, error));
}

/** Addresses that mean "all of them" can be listened on but not gone to. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
/** The host as a URL names it. */
export const hostInUrl = (host: string) => EVERYWHERE[host] ?? (isIP(host) === 6 ? `[${host}]` : host);
