/**
 * What the same proxying costs on the same foundation with nothing added: node:http in front, undici's Pool behind, each
 * answer streamed with back-pressure, a request dropped when its client leaves. It looks at no body, knows one upstream,
 * and checks, counts, logs and bounds nothing. Run as `node bare-proxy.ts PORT UPSTREAM_PORT`. Run with a model's name as well, it
 * parses each body and answers 404 to those that name another one, and is still the least that does so.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

const ONE_HOP = new Set(['connection', 'keep-alive', 'host', 'transfer-encoding', 'content-length', 'upgrade', 'te']);

const [port, upstream] = process.argv.slice(2, 4).map(Number);
const onlyModel = process.argv[4];
const pool = new Pool(`http://127.0.0.1:${upstream}`, {
  connections: null,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
});

function flat(headers: IncomingHttpHeaders, keep: (name: string) => boolean): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !keep(name)) continue;
    if (typeof value === 'string') list.push(name, value);
    else for (const one of value) list.push(name, one);
  }
  return list;
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#res.once('close', () => {
      if (!this.#res.writableEnded) controller.abort(new Error('the client has left'));
    });
    this.#res.on('drain', () => {
      controller.resume();
    });
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const keep = (name: string): boolean => !ONE_HOP.has(name) || name === 'content-length';
    this.#res.writeHead(status, flat(headers, keep));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#res.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#res.end();
  }

  onResponseError(): void {
    this.#res.destroy();
  }
}

function forward(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  const { url = '/', method = 'GET' } = req;
  const headers = flat(req.headers, (name) => !ONE_HOP.has(name));
  pool.dispatch({ path: url, method, headers, body: body.length === 0 ? null : body }, new Relay(res));
}

const NOT_FOUND = Buffer.from('{"error":{"message":"there is no such model","code":"model_not_found"}}');

function isForOther(body: Buffer): boolean {
  const asked: unknown = onlyModel === undefined || body.length === 0 ? undefined : JSON.parse(body.toString());
  return typeof asked === 'object' && asked !== null && 'model' in asked && asked.model !== onlyModel;
}

function answer(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  if (!isForOther(body)) forward(req, res, body);
  else
    res.writeHead(404, ['content-type', 'application/json', 'content-length', String(NOT_FOUND.length)]).end(NOT_FOUND);
}

createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const [first] = chunks;
    answer(req, res, first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
  });
}).listen(port, '127.0.0.1');
