import { LlamaServerError } from './llama-server.ts';

/** A prebuilt llama-server that the user configured: where it lies, and the checksum that it must have. */
export interface ArchiveSetting {
  readonly url: URL;
  /** 64 hexadecimal digits, in lower case. */
  readonly sha256: string;
}

/**
 * Reads `LLAMA_SERVER_URL` and `LLAMA_SERVER_SHA256`. `undefined`: neither is set (an empty variable counts as not set).
 * Throws `E_LLAMA_SERVER_ARCHIVE` when only one is set or one cannot be read.
 */
export function readArchiveSetting(env: NodeJS.ProcessEnv): ArchiveSetting | undefined {
  const url = env['LLAMA_SERVER_URL'];
  const sha256 = env['LLAMA_SERVER_SHA256'];
  const hasUrl = url !== undefined && url !== '';
  const hasSum = sha256 !== undefined && sha256 !== '';
  if (!hasUrl && !hasSum) return undefined;
  if (!hasSum)
    throw wrong('LLAMA_SERVER_SHA256 is not set, but LLAMA_SERVER_URL is: set both (sha256sum FILE prints it)');
  if (!hasUrl) throw wrong('LLAMA_SERVER_URL is not set, but LLAMA_SERVER_SHA256 is: set both, or neither');
  return { url: parseUrl(url), sha256: parseSha256(sha256) };
}

/** The value itself is not repeated: it may hold a password. */
function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw wrong('LLAMA_SERVER_URL is not a URL: write it like https://host/path/llama-server.tar.gz');
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw wrong(`LLAMA_SERVER_URL begins with ${url.protocol} where only http: and https: are read; for a file on this machine set LLAMA_SERVER`); // prettier-ignore
}

function parseSha256(text: string): string {
  const sum = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(sum)) return sum;
  throw wrong(`LLAMA_SERVER_SHA256 is not a SHA-256 sum: 64 hexadecimal digits are needed, it has ${sum.length} characters`); // prettier-ignore
}

/** A URL as it may be shown: without password and without a query, which often holds a token. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function wrong(message: string): LlamaServerError {
  return new LlamaServerError('E_LLAMA_SERVER_ARCHIVE', message);
}
