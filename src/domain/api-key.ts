/** What a key may be good for: asking models and listing them; ordering them loaded or unloaded, and what else changes how they run. */
export const KEY_OPERATIONS = ['infer', 'models:manage'] as const;
export type KeyOperation = (typeof KEY_OPERATIONS)[number];

/** One client's right to use Corral. The key itself is known to the client only. */
export interface ApiKey {
  /** What logs and metrics call it. */
  readonly id: string;
  /** SHA-256 of the key's bytes, in hexadecimal, lower case. */
  readonly sha256: string;
  /** Patterns of canonical model names: `*` stands for any characters, none among them, `?` for one. At least one. */
  readonly models: readonly string[];
  /** At least one. */
  readonly operations: readonly KeyOperation[];
  /** Requests at one moment, those that wait among them; `undefined`: no limit of its own. */
  readonly maxInFlight: number | undefined;
}
