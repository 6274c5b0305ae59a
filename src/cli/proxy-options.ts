import { InvalidArgumentError, Option } from 'commander';
import { readNetworks, type IsTrustedProxy } from '../edge/client-address.ts';

/** What `corral serve` and `corral edge` were told of proxies in front of them. */
export interface ProxyFlags {
  /** Absent: there are none. */
  readonly trustedProxies?: IsTrustedProxy;
}

function networks(text: string): IsTrustedProxy {
  const read = readNetworks(text.split(',').map((entry) => entry.trim()));
  if (read.ok) return read.isIn;
  throw new InvalidArgumentError(
    `It must be addresses or networks such as 10.0.0.0/8 or fd00::/8, separated by commas: ${JSON.stringify(read.wrong)} is neither.`,
  );
}

export const PROXY_OPTIONS: readonly Option[] = [
  new Option(
    '--trusted-proxies <networks>',
    "proxies in front, separated by commas: their X-Forwarded-For is believed, and sent on; nobody else's is",
  ).argParser(networks),
];

/** What the edge takes of the flags. */
export const proxiesOf = ({ trustedProxies }: ProxyFlags): { readonly isTrustedProxy: IsTrustedProxy | undefined } => ({
  isTrustedProxy: trustedProxies,
});
