import { Option } from 'commander';
import { HIGHEST_PORT, notEmpty, wholeNumber } from './flag-values.ts';

/** Where a process answers its administrator. */
export interface AdminFlags {
  readonly adminHost?: string;
  readonly adminPort?: number;
}

const PORT_HELP = 'answer /livez, /readyz, /metrics and more on this port; 0: any free one';

export const adminPort = (): Option =>
  new Option('--admin-port <port>', PORT_HELP).argParser(wholeNumber(HIGHEST_PORT));

/** `otherwise`: where it listens without the flag. */
export const adminHost = (otherwise: string): Option =>
  new Option('--admin-host <address>', `listen on this address for --admin-port (default: ${otherwise})`).argParser(
    notEmpty,
  );

/** What is wrong with the flags together, in one sentence. */
export const adminProblem = ({ adminHost: host, adminPort: port }: AdminFlags): string | undefined =>
  host !== undefined && port === undefined ? '--admin-host says where --admin-port listens: give that too' : undefined;
