import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** One call to the API server. */
export interface AuditEvent {
  readonly verb: string;
  readonly user: {
    /** Missing: the API server has not found out who asks, and refused the call (401). */
    readonly username?: string;
    /** Of a service account, among others `authentication.kubernetes.io/pod-uid`. */
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    /** Missing: the core group. */
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly stageTimestamp: string;
  /** `authorization.k8s.io/decision` says `forbid` where RBAC has refused the call. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Read at a time. */
const PIECE = 1 << 20;

/** The audit log of an API server, of which nothing is read twice: it becomes long, and is looked at often. */
export class AuditLog {
  readonly #file: string;
  readonly #events: AuditEvent[] = [];
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #offset = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** All calls so far, oldest first. */
  async read(): Promise<readonly AuditEvent[]> {
    const reading = this.#reading.catch(() => undefined).then(async () => this.#readOn());
    this.#reading = reading;
    await reading;
    return [...this.#events];
  }

  async #readOn(): Promise<void> {
    await using file = await open(this.#file);
    const piece = Buffer.alloc(PIECE);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      this.#take(this.#decoder.write(piece.subarray(0, bytesRead)));
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#events.push(decodeAudit(line));
  }
}

/** Throws for what is no line of an audit log. */
export function decodeAudit(line: string): AuditEvent {
  const event: unknown = JSON.parse(line);
  if (!isAuditEvent(event)) throw new Error(`no audit event: ${line.slice(0, 200)}`);
  return event;
}

const isAuditEvent = (event: unknown): event is AuditEvent =>
  typeof event === 'object' && event !== null && 'auditID' in event && 'verb' in event && 'user' in event;
