import { open } from 'node:fs/promises';
import { decodeAudit, type AuditEvent } from '../../cluster/support/audit-log.ts';
import { isIn, type Place } from './write-kind.ts';

/** A write as the API server has seen it. */
export interface AuditedWrite {
  readonly verb: string;
  /** With the query. */
  readonly path: string;
  readonly resource: string;
  readonly name: string;
  readonly isDryRun: boolean;
  readonly status: number;
  /** Who, as its proxy names it. */
  readonly agent: string;
  /** When it was answered: milliseconds since 1970. */
  readonly at: number;
  readonly answer: unknown;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete']);

/** The API server's audit log of one user, read on from where it was read last. */
export class AuditTail {
  readonly #file: string;
  readonly #user: string;
  readonly #writes: AuditedWrite[] = [];
  #offset = 0;
  #rest = '';
  #reads = 0;

  constructor(file: string, user: string) {
    this.#file = file;
    this.#user = user;
  }

  /** Reads what has been added. */
  async readOn(): Promise<void> {
    const file = await open(this.#file);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - this.#offset), 0, size - this.#offset, this.#offset); // prettier-ignore
      this.#offset += bytesRead;
      const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    } finally {
      await file.close();
    }
  }

  /** How many writes were read. */
  get length(): number {
    return this.#writes.length;
  }

  /** How many other calls were read. */
  get reads(): number {
    return this.#reads;
  }

  /** From the given one on. */
  since(start: number): readonly AuditedWrite[] {
    return this.#writes.slice(start);
  }

  /** Those at one place, from the given one on. */
  at(place: Place, start: number): readonly AuditedWrite[] {
    return this.since(start).filter((write) => isIn(write, place));
  }

  #take(line: string): void {
    // Most lines are of others: they are not worth being parsed.
    if (!line.includes(this.#user)) return;
    const event = decodeAudit(line);
    if (event.user.username !== this.#user || event.objectRef === undefined) return;
    if (WRITES.has(event.verb)) this.#writes.push(describe(event));
    else this.#reads += 1;
  }
}

function describe(event: AuditEvent): AuditedWrite {
  const { verb, requestURI, objectRef, responseStatus, responseObject, stageTimestamp, userAgent = '' } = event;
  return {
    verb,
    path: requestURI,
    resource: [objectRef?.resource, objectRef?.subresource].filter((part) => part !== undefined).join('/'),
    name: objectRef?.name ?? '',
    isDryRun: requestURI.includes('dryRun='),
    status: responseStatus?.code ?? 0,
    agent: userAgent,
    at: Date.parse(stageTimestamp),
    answer: responseObject,
  };
}
