import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { request, type Agent, type Dispatcher } from 'undici';
import { urlOf } from '../../../src/cli/listen.ts';
import { apiAgent } from '../../cluster/support/api-agent.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiWrite } from './write-kind.ts';

/**
 * What becomes of a write: `pass`; `before`: it goes nowhere, since whoever sent it is killed; `after`: it is carried out,
 * and whoever sent it is killed before the answer comes; `lost`: it is carried out, and its connection is reset.
 */
export type Fate = 'pass' | 'before' | 'after' | 'lost';

export interface ApiProxyParts {
  readonly server: string;
  readonly ca: string;
  /** `undefined`: whoever calls sends its own. */
  readonly token?: string;
  /** As whom the API server's audit log knows its calls: the user agent. */
  readonly name: string;
}

/** Headers of a connection, which are not passed on, and those that the proxy sets. */
const OWN_HEADERS = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'user-agent']);

/** Stands between a part of Corral and the API server, so that each write can be broken off at an exact point, and reads held up. */
export class ApiProxy {
  readonly #parts: ApiProxyParts;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #reads = new Set<ServerResponse>();
  /** To which API server a call goes, by its path. */
  serverFor: (path: string, isWatch: boolean) => string;
  /** Asked about each write when all of it has come. */
  judge: (write: ApiWrite) => Fate = () => 'pass';
  /** Told of each write that the API server has answered, before whoever sent it is. */
  onWritten: (write: ApiWrite, status: number) => void = () => undefined;
  /** Asked before each piece of an answer to a read is passed on, which waits for it. */
  onRead: (path: string) => Promise<void> = async () => Promise.resolve();
  /** Kills whoever sends the writes, and resolves when it is dead. */
  kill: () => Promise<void> = async () => Promise.resolve();

  constructor(t: Cleanup, parts: ApiProxyParts) {
    this.#parts = parts;
    this.serverFor = () => parts.server;
    this.#agent = apiAgent(parts.ca, { bodyTimeout: 0, headersTimeout: 0 });
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => {
        outgoing.destroy();
      });
    });
    t.after(async () => {
      this.#server.close();
      this.#server.closeAllConnections();
      await this.#agent.destroy();
    });
  }

  /** Resolves with its URL, for `--api-server`. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return urlOf(this.#server);
  }

  /** Where calls go unless it is said otherwise. */
  get server(): string {
    return this.#parts.server;
  }

  /** Breaks off all that is being read: a watch goes on where watches begin now. */
  breakReads(): void {
    for (const outgoing of this.#reads) outgoing.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (incoming.method === 'GET') await this.#read(incoming, outgoing);
    else await this.#write(incoming, outgoing);
  }

  async #read(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const left = new AbortController();
    this.#reads.add(outgoing);
    outgoing.on('close', () => {
      this.#reads.delete(outgoing);
      left.abort();
    });
    const answer = await this.#forward(incoming, undefined, left.signal);
    outgoing.writeHead(answer.statusCode, headersOf(answer));
    outgoing.flushHeaders();
    await pipeline(answer.body, (parts) => this.#heldUp(parts, describeWrite(incoming, '').path), outgoing);
  }

  async *#heldUp(parts: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
    for await (const part of parts) {
      await this.onRead(path);
      yield part;
    }
  }

  async #write(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // Whose sender has given it up goes no further, as where nobody stands between: an API server that begins to serve would take it late.
    const left = new AbortController();
    outgoing.on('close', () => {
      left.abort();
    });
    const write = describeWrite(incoming, await text(incoming));
    const fate = this.judge(write);
    if (fate === 'before') {
      await this.kill();
      return;
    }
    const answer = await this.#forward(incoming, write.body, left.signal);
    const body = await answer.body.text();
    this.onWritten(write, answer.statusCode);
    if (fate === 'after') await this.kill();
    else if (fate === 'lost') incoming.socket.resetAndDestroy();
    else outgoing.writeHead(answer.statusCode, headersOf(answer)).end(body);
  }

  async #forward(
    { method, url, headers }: IncomingMessage,
    body: string | undefined,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { token, name } = this.#parts;
    const { pathname, searchParams } = new URL(String(url), 'http://api');
    const server = this.serverFor(pathname, searchParams.has('watch'));
    const passed = Object.entries(headers).filter(([key]) => !OWN_HEADERS.has(key));
    return request(`${server}${String(url)}`, {
      method: method ?? 'GET',
      dispatcher: this.#agent,
      headers: { ...Object.fromEntries(passed), ...authorizationOf(token), 'user-agent': name },
      body: body ?? null,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

const authorizationOf = (token: string | undefined): Partial<Record<'authorization', string>> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

function describeWrite({ method = '', url = '' }: IncomingMessage, body: string): ApiWrite {
  const { pathname, searchParams } = new URL(url, 'http://api');
  return { method, path: pathname, isDryRun: searchParams.has('dryRun'), body };
}

const headersOf = ({
  headers,
}: Dispatcher.ResponseData): Record<'content-type', string> & Partial<Record<'retry-after', string>> => ({
  'content-type': String(headers['content-type']),
  ...(headers['retry-after'] === undefined ? {} : { 'retry-after': String(headers['retry-after']) }),
});
