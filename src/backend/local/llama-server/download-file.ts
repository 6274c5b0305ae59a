import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import type { Response } from 'undici';
import { showUrl } from './archive-setting.ts';
import { describeError } from './describe-error.ts';
import { throwIfInterrupted } from './llama-server.ts';
import type { Search } from './search.ts';

/**
 * Fetches a URL into a file and returns the SHA-256 of what arrived, in hexadecimal. Goes through the proxy that the
 * environment names. Throws an Error that names the URL without its secrets; `E_LLAMA_SERVER_INTERRUPTED`.
 */
export async function downloadFile(url: URL, file: string, search: Search): Promise<string> {
  throwIfInterrupted(search.signal);
  const proxies = proxyAgent(search.env);
  try {
    return await save(await get(url, proxies, search), file, search);
  } catch (error) {
    throwIfInterrupted(search.signal);
    throw new Error(`downloading ${showUrl(url)} failed: ${describeError(error)}`, { cause: error });
  } finally {
    await proxies.destroy();
  }
}

/** curl's habit: the lower-case name first. Empty text keeps undici from asking the process's own environment. */
function proxyAgent(env: NodeJS.ProcessEnv): EnvHttpProxyAgent {
  return new EnvHttpProxyAgent({
    httpProxy: setting(env, 'http_proxy'),
    httpsProxy: setting(env, 'https_proxy'),
    noProxy: setting(env, 'no_proxy'),
  });
}

function setting(env: NodeJS.ProcessEnv, name: string): string {
  const value = [env[name], env[name.toUpperCase()]].find((text) => text !== undefined);
  return value === undefined ? '' : value;
}

/** A user and a password in the URL become a header: fetch takes none in a URL, and drops the header on a redirect elsewhere. */
async function get(url: URL, dispatcher: EnvHttpProxyAgent, search: Search): Promise<Response> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers = login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const signal = AbortSignal.any([search.signal, AbortSignal.timeout(search.limits.download)]);
  const response = await fetch(bare, { dispatcher, headers, signal });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response;
}

async function save(response: Response, file: string, search: Search): Promise<string> {
  if (response.body === null) throw new Error('the server sent nothing');
  const hash = createHash('sha256');
  const total = Number(response.headers.get('content-length'));
  let received = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      received += chunk.length;
      if (total > 0) search.report({ kind: 'percent', percent: Math.min(100, Math.floor((100 * received) / total)) });
      yield chunk;
    }
  };
  await pipeline(response.body, count, createWriteStream(file));
  return hash.digest('hex');
}
