import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Log } from '../platform/log.ts';

/**
 * Certificate authorities in a file that may be replaced at any time. It is read for each connection: connections are few, and
 * each is judged by what holds then. While the file cannot be read, what it held before goes on to hold. No line of the log and
 * no error has anything of its contents.
 */
export class AuthoritiesFile {
  readonly #path: string;
  readonly #log: Log;
  #text: string;
  #authorities: readonly string[];
  #isWrong = false;

  /** Throws if the file cannot be read, or has no certificate in it: there is nothing to go on with. */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#text = readFileSync(path, 'utf8');
    this.#authorities = certificatesIn(this.#text, path);
  }

  /** PEM, one certificate each: those in the file now, or the last ones that could be read. The same array while they are the same. */
  current(): readonly string[] {
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text !== this.#text) this.#replace(text);
      this.#isWrong = false;
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
    }
    return this.#authorities;
  }

  #replace(text: string): void {
    this.#authorities = certificatesIn(text, this.#path);
    this.#text = text;
    this.#log.info('the certificate authorities have changed', { file: this.#path });
  }

  /** Once, until it could be read again. */
  #tell(reason: string): void {
    if (!this.#isWrong) this.#log.warn('the certificate authorities cannot be read; the last ones hold', { reason });
    this.#isWrong = true;
  }
}

/** As Kubernetes' own clients do: what is no certificate is passed over, and one is enough. */
function certificatesIn(text: string, path: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? [];
  const certificates = blocks.filter(isCertificate);
  if (certificates.length === 0) throw new Error(`${path}: there is no certificate (PEM) in it`);
  return certificates;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
