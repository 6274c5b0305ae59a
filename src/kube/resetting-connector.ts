import { Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { Duration } from '../domain/units.ts';

export interface ConnectorParts {
  /** Until the connection stands. */
  readonly timeout: Duration;
  /** Certificate authorities, PEM; `undefined`: those that Node knows. */
  readonly ca: string | undefined;
}

/**
 * Makes connections that are reset when this side ends them. A closed one would be ended in order instead: the kernel would
 * go on to send what the other side has not confirmed, for minutes, and a write that was given up would arrive after all.
 */
export function resettingConnector({ timeout, ca }: ConnectorParts): buildConnector.connector {
  const secure = buildConnector({ timeout, allowH2: false, ...(ca === undefined ? {} : { ca }) });
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
      if (isSecure) secure({ ...options, httpSocket: raw.on('error', ignore) }, callback);
      else callback(null, raw);
    });
  };
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
