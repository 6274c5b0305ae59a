import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientAddress, countedAddress, plainAddress, readNetworks } from './client-address.ts';

function networks(...entries: readonly string[]): (address: string) => boolean {
  const read = readNetworks(entries);
  assert.ok(read.ok);
  return read.isIn;
}

describe('networks', () => {
  for (const [entry, inside, outside] of [
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['192.168.1.7', '192.168.1.7', '192.168.1.8'],
    ['fd00::/8', 'fd12::1', 'fe80::1'],
    ['::1', '::1', '::2'],
    ['0.0.0.0/0', '8.8.8.8', '::1'],
  ] as const) {
    it(`${entry} has ${inside}, and not ${outside}`, () => {
      assert.deepEqual([networks(entry)(inside), networks(entry)(outside)], [true, false]);
    });
  }
  for (const wrong of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '::1/129', '::1/-1']) {
    it(`refuse ${JSON.stringify(wrong)}, and name it`, () => {
      assert.deepEqual(readNetworks(['10.0.0.0/8', wrong]), { ok: false, wrong });
    });
  }
});

describe('the address of a client', () => {
  const isTrusted = networks('10.0.0.0/8', '::1');
  for (const [what, peer, forwarded, expected] of [
    ['is its peer without a proxy, whatever it says', '9.9.9.9', '1.2.3.4', '9.9.9.9'],
    ['is its peer where the proxy says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['is what the proxy says', '10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['is what the first trusted proxy has seen', '10.0.0.1', '1.2.3.4, 10.0.0.2', '1.2.3.4'],
    ['is not what the client makes up', '10.0.0.1', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['is not what a client within makes up', '10.0.0.1', '10.0.0.9, 1.2.3.4', '1.2.3.4'],
    ['may be a trusted one', '10.0.0.1', '10.0.0.2', '10.0.0.2'],
    ['may have a port', '10.0.0.1', '1.2.3.4:55', '1.2.3.4'],
    ['may be IPv6 with a port', '::1', '[2001:db8::1]:55', '2001:db8::1'],
    ['may be IPv6', '::1', '2001:db8::1', '2001:db8::1'],
    ['is the last known before garbage', '10.0.0.1', 'unknown, 10.0.0.3', '10.0.0.3'],
    ['is the peer behind garbage', '10.0.0.1', '1.2.3.4, <x>', '10.0.0.1'],
    ['is IPv4 also if it is written as IPv6', '10.0.0.1', '::ffff:1.2.3.4', '1.2.3.4'],
  ] as const) {
    it(what, () => {
      const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
      assert.equal(clientAddress(peer, headers, isTrusted), expected);
    });
  }
});

describe('what counts as one client', () => {
  for (const [address, counted] of [
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
  ] as const) {
    it(`of ${address} is ${counted}`, () => {
      assert.equal(countedAddress(address), counted);
    });
  }
  it('is IPv4 on a socket that takes both', () => {
    assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(plainAddress('::1'), '::1');
  });
});
