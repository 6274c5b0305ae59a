import { Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { Duration } from '../domain/units.ts';

export interface ConnectorParts {
  /** Until the connection stands. */
  readonly timeout: Duration;
  /** Asked for each connection: the certificate authorities, PEM; `undefined`: those that Node knows. */
  readonly authorities: () => readonly string[] | undefined;
}

/**
 * Makes connections that are reset when this side ends them. A closed one would be ended in order instead: the kernel would
 * go on to send what the other side has not confirmed, for minutes, and a write that was given up would arrive after all.
 */
export function resettingConnector({ timeout, authorities }: ConnectorParts): buildConnector.connector {
  const secureBy = secureConnectors(timeout);
  return (options, callback) => {
    const raw = new ResettingSocket();
    const isSecure = options.protocol === 'https:';
    const fail = (error: Error): void => {
      callback(error, null);
    };
    raw.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
    raw.setTimeout(timeout, () => raw.destroy(new Error(`no connection within ${timeout / 1000} s`)));
    raw.once('error', fail);
    raw.connect({ host: bare(options.hostname), port: portOf(options.port, isSecure) }, () => {
      raw.off('error', fail).setTimeout(0);
      if (isSecure) secureBy(authorities())({ ...options, httpSocket: raw.on('error', ignore) }, callback);
      else callback(null, raw);
    });
  };
}

/**
 * One connector for as long as the authorities are the same. It keeps TLS sessions, and one that is taken up again brings no
 * certificate to be judged: other authorities start without any.
 */
function secureConnectors(timeout: Duration): (ca: readonly string[] | undefined) => buildConnector.connector {
  const make = (ca: readonly string[] | undefined): Last => ({
    ca,
    connector: buildConnector({ timeout, allowH2: false, ...(ca === undefined ? {} : { ca: [...ca] }) }),
  });
  let last = make(undefined);
  return (ca) => {
    if (ca !== last.ca) last = make(ca);
    return last.connector;
  };
}

interface Last {
  readonly ca: readonly string[] | undefined;
  readonly connector: buildConnector.connector;
}

/** The connection above it tells of it. */
const ignore = (): void => undefined;

/** After how long without a byte the kernel asks whether the other side is still there, in milliseconds. */
const KEEP_ALIVE = 60_000;

/** A URL has brackets around an IPv6 address. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/gu, '');

const portOf = (port: string, isSecure: boolean): number => (port === '' ? (isSecure ? 443 : 80) : Number(port));

class ResettingSocket extends Socket {
  #isEnding = false;
  #error: Error | undefined;

  override destroy(error?: Error): this {
    if (this.#isEnding || this.destroyed || this.connecting) return super.destroy(this.#error ?? error);
    this.#isEnding = true;
    this.#error = error;
    // Calls this method again.
    return this.resetAndDestroy();
  }
}
