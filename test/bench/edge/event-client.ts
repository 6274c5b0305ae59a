import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { postChat } from './post-chat.ts';
import { eventsBody } from './request-bodies.ts';

const SENT = /"sent":([\d.]+)/gu;
const NANOSECONDS_PER_MS = 1e6;

/** What arrived on some streams. */
export interface Arrived {
  readonly events: number;
  /** Milliseconds from where an event was written to where it was read, of each event. */
  readonly delays: readonly number[];
}

/** Several streams side by side, each of `events` events, `pause` ms apart. Their events come spread over the pause. */
export interface Streams {
  readonly port: number;
  readonly streams: number;
  readonly events: number;
  readonly pause: number;
}

/** Reads them to their ends. Throws if one does not come whole. */
export async function readStreams({ port, streams, events, pause }: Streams): Promise<Arrived> {
  const read = async (_: unknown, stream: number): Promise<readonly number[]> => {
    await delay((stream * pause) / streams);
    const delays = await readStream(port, eventsBody('m0', events, pause));
    if (delays.length !== events) throw new Error(`${delays.length} of ${events} events came`);
    return delays;
  };
  const delays = (await Promise.all(Array.from({ length: streams }, read))).flat();
  return { events: delays.length, delays };
}

async function readStream(port: number, body: string): Promise<readonly number[]> {
  const response = await openStream(port, body);
  const delays: number[] = [];
  let rest = '';
  response.on('data', (text: string) => {
    const now = Number(process.hrtime.bigint()) / NANOSECONDS_PER_MS;
    const whole = (rest + text).lastIndexOf('\n\n');
    for (const [, sent] of (rest + text).slice(0, Math.max(0, whole)).matchAll(SENT)) delays.push(now - Number(sent));
    rest = whole === -1 ? rest + text : (rest + text).slice(whole);
  });
  await new Promise((resolve, reject) => {
    response.once('end', resolve).once('error', reject);
  });
  return delays;
}

/** Asks for a stream, on a connection of its own, and resolves when its head has come. */
export const openStream = async (port: number, body: string): Promise<IncomingMessage> =>
  (await postChat(port, body)).setEncoding('latin1');
