import { get, type IncomingMessage } from 'node:http';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { parseJson } from '../../domain/json.ts';
import type { Endpoint } from '../../domain/replica.ts';

/** What the slots of a llama-server say. `unknown`: they have said nothing that could be understood, which is not idle. */
export type SlotLook = 'idle' | 'busy' | 'unknown';

/** A server that does not answer within this time, in milliseconds, has said nothing. */
const LOOK_TIMEOUT = 2_000;
/** Of an answer: more than the slots of any server take. */
const MAX_BYTES = 4 * 1024 * 1024;

const Slots = Type.Array(Type.Object({ is_processing: Type.Boolean() }), { minItems: 1 });

/** Looks whether any slot of a pod's llama-server is busy. */
export async function lookAtSlots({ phase, server, address }: PodView): Promise<SlotLook> {
  // Its containers are never started a second time: one that waits has served nobody.
  if (phase === 'Pending' && (server.kind === 'waiting' || server.kind === 'unknown')) return 'idle';
  const answer = address === undefined ? undefined : await ask(address).catch(() => undefined);
  const slots = answer === undefined ? undefined : parseJson(answer);
  if (!Value.Check(Slots, slots)) return 'unknown';
  return slots.some((slot) => slot.is_processing) ? 'busy' : 'idle';
}

/** The path holds the pod's own random prefix, so that no other pod under a reused address answers for it. */
async function ask({ origin, prefix }: Endpoint): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LOOK_TIMEOUT);
    get(`${origin}${prefix}/slots`, { agent: false, signal }, (response) => {
      read(response).then(resolve, reject);
    }).on('error', reject);
  });
}

async function read(response: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BYTES) return undefined;
    parts.push(part);
  }
  return response.statusCode === 200 ? Buffer.concat(parts).toString() : undefined;
}
