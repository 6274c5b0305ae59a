import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Whose word about a client's address counts. */
export type IsTrustedProxy = (address: string) => boolean;

const MAPPED = /^::ffff:(?=\d+\.)/i;
/** The address of an entry of X-Forwarded-For, which may have a port (Azure's gateways write one). */
const ENTRY = /^(?:\[([\da-f:.]+)\](?::\d+)?|([\d.]+):\d+|([\da-f:.]+))$/i;

/** IPv4 as it is usually written, also on a socket that takes both. */
export const plainAddress = (address: string): string => address.replace(MAPPED, '');

/** Reads a list of addresses and networks (`10.0.0.0/8`, `::1`), or names the first entry that is none. */
export function readNetworks(
  entries: readonly string[],
): { readonly ok: true; readonly isIn: IsTrustedProxy } | { readonly ok: false; readonly wrong: string } {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, ...more] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const isWrong = version === 0 || more.length > 0 || (bits !== undefined && !isWholeUpTo(bits, most));
    if (isWrong) return { ok: false, wrong: entry };
    list.addSubnet(address, bits === undefined ? most : Number(bits), familyOf(version));
  }
  return { ok: true, isIn: (address) => list.check(address, familyOf(isIP(address))) };
}

const isWholeUpTo = (text: string, most: number): boolean => /^\d{1,3}$/.test(text) && Number(text) <= most;
const familyOf = (version: number): 'ipv4' | 'ipv6' => (version === 6 ? 'ipv6' : 'ipv4');

/**
 * Where a request comes from: its peer, or what trusted proxies say. Each appends to X-Forwarded-For the address that it has
 * seen, so that the last one that is no trusted proxy's is the client's; what stands before it the client may have made up.
 */
export function clientAddress(peer: string, headers: IncomingHttpHeaders, isTrusted: IsTrustedProxy): string {
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded !== 'string' || !isTrusted(peer)) return peer;
  let client = peer;
  for (const entry of forwarded.split(',').reverse()) {
    const [, bracketed, beforePort, plain] = ENTRY.exec(entry.trim()) ?? [];
    const address = plainAddress(String(bracketed ?? beforePort ?? plain));
    if (isIP(address) === 0) return client;
    client = address;
    if (!isTrusted(address)) return client;
  }
  return client;
}

/** What is counted as one client: an IPv4 address, or the /64 that an IPv6 client can choose its addresses from. */
export function countedAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - front.length - back.length;
  return `${[...front, ...Array.from({ length: gap }, () => '0'), ...back].slice(0, 4).join(':')}::/64`;
}
