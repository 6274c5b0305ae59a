import type { EndedRequest } from '../domain/ended-request.ts';
import { instant, milliseconds } from '../domain/units.ts';

/** A request that was answered without anything to remark. */
export const anEndedRequest = (special: Partial<EndedRequest> = {}): EndedRequest => ({
  route: '/v1/chat/completions',
  method: 'POST',
  path: '/v1/chat/completions',
  model: 'a',
  status: 200,
  code: undefined,
  keyId: undefined,
  requestId: 'id',
  client: '127.0.0.1',
  arrived: instant(0),
  duration: milliseconds(20),
  waited: milliseconds(0),
  firstByte: milliseconds(10),
  bytesIn: 1200,
  bytesOut: 600,
  tokensIn: undefined,
  tokensOut: undefined,
  upstreamError: undefined,
  streamed: false,
  complete: true,
  ...special,
});
