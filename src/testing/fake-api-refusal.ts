/** An answer that is no success, as Kubernetes words it. */
export class FakeRefusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export const statusBody = (code: number, reason: string, message: string): JsonObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  code,
});

export const expired = (): FakeRefusal => new FakeRefusal(410, 'Expired', 'too old resource version');
import type { JsonObject } from '../domain/json.ts';
