// Which addresses merchants may make the service call. The table is what attackers try: every way to write, name or move
// an address that only this machine or its network can reach.
import { describe, expect, test } from 'vitest';
import { AddressRefused, allowedAddresses, endpointUrl, isAllowed } from '../src/notifications/address.ts';

const STRICT = { privateAddresses: false };
const PRIVATE = { privateAddresses: true };

/** What names resolve to; any other name is unknown. */
const NAMES: Record<string, string[]> = {
  'shop.example': ['93.184.216.34'],
  'both.example': ['93.184.216.34', '2606:2800:220:1::1'],
  'half.example': ['93.184.216.34', '10.0.0.7'],
  'mapped.example': ['::ffff:10.0.0.7'],
  'nat64.example': ['64:ff9b::a00:7'],
  'localtest.me': ['127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1'],
  'app.localhost': ['127.0.0.1'],
  '10.0.0.1.nip.io': ['10.0.0.1'],
  '169-254-169-254.nip.io': ['169.254.169.254'],
  'metadata.google.internal': ['169.254.169.254'],
  'wireserver.example': ['168.63.129.16'],
  'zoned.example': ['fe80::1%eth0'],
  'nowhere.example': [],
  'xn--bcher-kva.example': ['93.184.216.34'],
};
const resolve = async (host: string) => {
  const addresses = NAMES[host];
  if (!addresses) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  return addresses;
};

async function judge(text: string, rules: { privateAddresses: boolean }): Promise<string[] | string> {
  try {
    return await allowedAddresses(endpointUrl(text, rules), rules, resolve);
  } catch (error) {
    expect(error).toBeInstanceOf(AddressRefused);
    return (error as Error).message;
  }
}

const REFUSED: [reason: RegExp, urls: string[]][] = [
  [
    /absolute https URL/,
    [
      '',
      'shop.example',
      '//shop.example/x',
      'ftp://shop.example/x',
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_x',
      'javascript:alert(1)',
      'data:text/plain,x',
      'https://',
      'https:///x',
      'https:shop.example',
      'https:\\\\shop.example',
      'https://shop.example\\@10.0.0.1',
      'https://shop.example/ x',
      'https://shop.example/\u0000',
      'https://sh\nop.example/',
      '\thttps://shop.example',
      'https://[::1/',
      'https://[fe80::1%25eth0]/',
      'https://256.1.1.1/',
      'https://1.2.3.4.5/',
      'https://shop.example:99999/',
    ],
  ],
  [
    /user name or password/,
    ['https://user@shop.example', 'https://shop.example:x@10.0.0.1/', 'https://:p@shop.example'],
  ],
  [/fragment/, ['https://shop.example/#x']],
  [/must be https/, ['http://shop.example/hook', 'HTTP://shop.example', 'http://127.0.0.1/']],
  [
    /one of the ports/,
    [
      'https://shop.example:22',
      'https://shop.example:25/',
      'https://shop.example:5432',
      'https://shop.example:6379',
      'https://shop.example:9200',
      'https://shop.example:0/',
      'https://shop.example:3000/',
    ],
  ],
  [/at most 2048/, [`https://shop.example/${'x'.repeat(2_048)}`, `https://shop.example/${'é'.repeat(1_000)}`]],
  [
    /not only on the public internet/,
    [
      'https://127.0.0.1/',
      'https://127.1/',
      'https://127.255.255.254/',
      'https://2130706433/',
      'https://0x7f000001/',
      'https://0x7f.1/',
      'https://0177.0.0.1/',
      'https://017700000001/',
      'https://①②⑦.⓪.⓪.①/',
      'https://127。0。0。1/',
      'https://127.0.0.1./',
      'https://%31%32%37.0.0.1/',
      'https://0/',
      'https://0.0.0.0/',
      'https://10.0.0.1/',
      'https://10.255.255.255:8443/',
      'https://172.16.0.1/',
      'https://172.31.255.255/',
      'https://192.168.1.1/',
      'https://100.64.0.1/',
      'https://100.100.100.200/',
      'https://169.254.169.254/latest/meta-data/',
      'https://2852039166/',
      'https://0xa9fea9fe/',
      'https://168.63.129.16/',
      'https://192.0.0.192/',
      'https://192.0.2.1/',
      'https://192.88.99.1/',
      'https://198.18.0.1/',
      'https://198.51.100.1/',
      'https://203.0.113.1/',
      'https://224.0.0.1/',
      'https://239.255.255.250/',
      'https://240.0.0.1/',
      'https://255.255.255.255/',
      'https://[::]/',
      'https://[::1]/',
      'https://[0:0:0:0:0:0:0:1]:8080/',
      'https://[::127.0.0.1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://[::ffff:93.184.216.34]/',
      'https://[::ffff:0:10.0.0.1]/',
      'https://[64:ff9b::10.0.0.1]/',
      'https://[64:ff9b::93.184.216.34]/',
      'https://[64:ff9b:1::1]/',
      'https://[2002:7f00:1::]/',
      'https://[2002:a00:1::1]/',
      'https://[2001::1]/',
      'https://[2001:db8::1]/',
      'https://[2606:2800:220:1:0:5efe:10.0.0.1]/',
      'https://[fc00::1]/',
      'https://[fd00:ec2::254]/',
      'https://[fe80::1]/',
      'https://[fec0::1]/',
      'https://[ff02::1]/',
      'https://[100::1]/',
      'https://[3fff::1]/',
      'https://[5f00::1]/',
      'https://[4000::1]/',
      'https://localhost/',
      'https://LOCALHOST./',
      'https://app.localhost/',
      'https://localtest.me/',
      'https://10.0.0.1.nip.io/',
      'https://169-254-169-254.nip.io/',
      'https://metadata.google.internal/',
      'https://wireserver.example/',
      'https://half.example/',
      'https://mapped.example/',
      'https://nat64.example/',
      'https://zoned.example/',
    ],
  ],
  [/has no address/, ['https://nowhere.example/']],
];

describe.each(REFUSED)('refused with %s', (reason, urls) => {
  test.each(urls)('%j', async url => {
    expect(await judge(url, STRICT)).toMatch(reason);
  });
});

test('the table is as long as it should be', () => {
  expect(REFUSED.flatMap(([, urls]) => urls).length).toBeGreaterThan(100);
});

test.each([
  ['https://shop.example/hook?x=1', ['93.184.216.34']],
  ['https://shop.example:8443', ['93.184.216.34']],
  ['https://both.example/', NAMES['both.example']],
  ['https://93.184.216.34/', ['93.184.216.34']],
  ['https://[2606:2800:220:1::1]:8080/', ['2606:2800:220:1::1']],
  ['https://bücher.example/', ['93.184.216.34']],
])('%s is called at the addresses that were checked', async (url, addresses) => {
  expect(await judge(url, STRICT)).toEqual(addresses);
});

test('a name nobody knows is not refused as an address: it may be known later', async () => {
  const url = endpointUrl('https://unknown.example/', STRICT);
  await expect(allowedAddresses(url, STRICT, resolve)).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

describe('with private addresses allowed', () => {
  test.each([
    'http://127.0.0.1:4000/hook',
    'http://localhost:5432/',
    'https://10.0.0.1/',
    'http://[::1]:8080/',
    'http://[fd12::1]/',
    'http://100.64.0.1/',
    'http://mapped.example/',
  ])('%s is fine', async url => {
    expect(await judge(url, PRIVATE)).toBeInstanceOf(Array);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/',
    'http://[fd00:ec2::254]/',
    'http://168.63.129.16/',
    'http://100.100.100.200/',
    'http://[::ffff:169.254.169.254]/',
    'http://0.0.0.0/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[fe80::1]/',
    'http://u:p@127.0.0.1/',
    'gopher://127.0.0.1/',
  ])('%s is still refused', async url => {
    expect(await judge(url, PRIVATE)).toBeTypeOf('string');
  });

  test('the refusal says that http would do as well', async () => {
    expect(await judge('ftp://127.0.0.1/', PRIVATE)).toBe('must be an absolute http or https URL');
  });
});

test('what is no IP address is none that is allowed', () => {
  for (const text of ['', 'shop.example', '1.2.3', '93.184.216.34:80', '0x5db8d822']) {
    expect(isAllowed(text, STRICT)).toBe(false);
    expect(isAllowed(text, PRIVATE)).toBe(false);
  }
});
