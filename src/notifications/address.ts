// Which addresses merchants may make the service call: a URL that anybody with the API key can set must not reach what
// only this machine or its network can. A name is resolved once, every address it has is checked, and only those checked
// are connected to: between a check and a second look-up the name could have moved.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { MAX_ENDPOINT_URL_LENGTH } from './notification.ts';

/** Where web servers listen. Any other port is more likely a database, a mail server or a debugger. */
const PORTS = new Set(['443', '80', '8443', '8080']);
/** Kinds of addresses that are let through when private ones are: all that a merchant's own server can have. */
const PRIVATE_KINDS = new Set(['unicast', 'private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);
/** Where clouds tell a machine its own secrets; some of them pass for ordinary addresses. Never called. */
const METADATA = new Set(['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254']);
/** All that IPv6 has given out for public use. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<string[]>;

export type AddressRules = {
  /** NOTIFICATION_PRIVATE_ADDRESSES: http, any port and the addresses of one's own network are fine. */
  privateAddresses: boolean;
};

/** May not be called; the message says why, fit for the merchant. */
export class AddressRefused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'AddressRefused';
  }
}

/** The URL of an endpoint, as far as it can be judged without asking for its addresses. @throws AddressRefused */
export function endpointUrl(text: string, { privateAddresses }: AddressRules): URL {
  // Browsers and servers drop or turn some of these characters, and then read another address than was checked.
  if (!/^https?:\/\/[^\s\p{Cc}\\/][^\s\p{Cc}\\]*$/iu.test(text) || !URL.canParse(text)) {
    throw new AddressRefused(`must be an absolute ${privateAddresses ? 'http or https' : 'https'} URL`);
  }
  const url = new URL(text);
  if (url.href.length > MAX_ENDPOINT_URL_LENGTH) {
    throw new AddressRefused(`must have at most ${MAX_ENDPOINT_URL_LENGTH} characters`);
  }
  if (url.username !== '' || url.password !== '') throw new AddressRefused('may not hold a user name or password');
  if (url.hash !== '') throw new AddressRefused('may not have a fragment, which no server would see');
  if (privateAddresses) return url;
  if (url.protocol !== 'https:') {
    throw new AddressRefused('must be https (NOTIFICATION_PRIVATE_ADDRESSES=true allows http and private addresses)');
  }
  if (url.port !== '' && !PORTS.has(url.port)) {
    throw new AddressRefused(`must use one of the ports ${[...PORTS].join(', ')}`);
  }
  return url;
}

/**
 * The addresses to connect to. One that is not allowed refuses all: which of them is used would be chance.
 * @throws AddressRefused; whatever `resolve` rejects with
 */
export async function allowedAddresses(url: URL, rules: AddressRules, resolve: Resolve): Promise<string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  if (addresses.length === 0) throw new AddressRefused(`names ${host}, which has no address`);
  if (!addresses.every(address => isAllowed(address, rules))) {
    throw new AddressRefused(
      rules.privateAddresses
        ? `names ${host}, which is no address a server can have`
        : `names ${host}, which is not only on the public internet (NOTIFICATION_PRIVATE_ADDRESSES=true would allow a private network)`,
    );
  }
  return addresses;
}

/** May the service connect to this IP address? */
export function isAllowed(address: string, { privateAddresses }: AddressRules): boolean {
  if (isIP(address) === 0) return false;
  const parsed = privateAddresses ? ipaddr.process(address) : ipaddr.parse(address);
  if (METADATA.has(parsed.toString())) return false;
  if (privateAddresses) return PRIVATE_KINDS.has(parsed.range());
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || (parsed.match(GLOBAL_V6) && !isTunnel(parsed));
}

/** ISATAP: an IPv4 address, private ones too, in the last half of an address from any network. */
function isTunnel({ parts }: ipaddr.IPv6): boolean {
  return (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe;
}
