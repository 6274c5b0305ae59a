import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';
import fc from 'fast-check';
import { milliseconds } from '../../../src/domain/units.ts';
import { headOf, send } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Extent, Series } from '../proof.ts';
import { EVENT_STREAM, scriptOfChunks, type AnswerScript } from './answer-script.ts';
import { setEdgeStage, type Lane } from './edge-stage.ts';
import { tryOnLanes } from './try-on-lanes.ts';

/** A stream that its replica cuts into pieces wherever it likes. */
interface Cutting {
  readonly texts: readonly string[];
  /** Bytes of one event besides; up to a mebibyte. */
  readonly large: number;
  /** Bytes of content in each chunk, in turn. */
  readonly chunks: readonly number[];
  /** Bytes of each write, in turn; `undefined`: all at once. */
  readonly writes: readonly number[] | undefined;
  readonly waits: boolean;
}

const MIB = 1024 * 1024;

const cuttings: fc.Arbitrary<Cutting> = fc.record({
  texts: fc.array(fc.string({ maxLength: 40, unit: 'grapheme' }), { minLength: 1, maxLength: 20 }),
  large: fc.oneof(
    { weight: 100, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1000, max: 100_000 }) },
    { weight: 1, arbitrary: fc.constant(MIB) },
  ),
  chunks: fc.oneof(fc.constant([1]), fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 })),
  writes: fc.option(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), { nil: undefined }),
  waits: fc.boolean(),
});

/** Pieces of these sizes, in turn. Of much, larger ones: a mebibyte byte by byte would prove the same once more and more slowly. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  const factor = Math.ceil(bytes.length / 20_000);
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const size = Number(sizes[turn % sizes.length]) * factor;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function scriptOf({ texts, large, chunks }: Cutting): AnswerScript {
  const events = texts.map((text) => `data: ${JSON.stringify({ text })}\n\n`);
  if (large > 0) events.push(`data: ${'€'.repeat(large / 3)}\n\n`);
  return scriptOfChunks(EVENT_STREAM, cut(Buffer.from([...events, 'data: [DONE]\n\n'].join('')), chunks));
}

/** One piece a turn of the loop, so that they come apart. */
async function say(socket: net.Socket, bytes: Buffer, writes: readonly number[] | undefined): Promise<void> {
  for (const piece of writes === undefined ? [bytes] : cut(bytes, writes)) {
    if (socket.destroyed) return;
    socket.write(piece);
    if (writes !== undefined) await new Promise((resolve) => setImmediate(resolve));
  }
}

const HEARTBEAT = Buffer.from(': waiting\n\n');

/** Takes the signs of life off, which come before everything else. */
function withoutHeartbeats(body: Buffer): Buffer {
  let rest = body;
  while (rest.subarray(0, HEARTBEAT.length).equals(HEARTBEAT)) rest = rest.subarray(HEARTBEAT.length);
  return rest;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function tryCutting(lane: Lane, cutting: Cutting): Promise<number> {
  const script = scriptOf(cutting);
  lane.stub.serve = (socket) => {
    void say(socket, Buffer.concat([script.head, script.body]), cutting.writes);
  };
  if (cutting.waits) lane.setReady(false);
  const end = lane.end();
  const sent = performance.now();
  const response = await headOf(send(lane.edge, { body: JSON.stringify({ model: lane.model, stream: true }) }));
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => {
    parts.push(part);
    if (parts.length === 1 && cutting.waits) lane.setReady(true);
  });
  await once(response, 'close');
  const took = performance.now() - sent;
  const body = Buffer.concat(parts);
  assert.ok(response.complete, 'it is broken off');
  assert.equal(body.subarray(0, HEARTBEAT.length).equals(HEARTBEAT), cutting.waits, 'a sign of life');
  assert.equal(sha256(withoutHeartbeats(body)), sha256(script.content), 'other bytes than were said');
  await end;
  lane.assertFree();
  return took;
}

const LANES = 16;

/** Streams whose bytes are compared by their hash: characters and events cut anywhere, chunks of one byte, events of a mebibyte. */
export async function tryIntegrity(t: Cleanup, { runs, seed }: Extent): Promise<Series> {
  const lanes = await setEdgeStage(t, LANES, { heartbeatInterval: milliseconds(2) });
  const { timings, failures } = await tryOnLanes(lanes, fc.sample(cuttings, { numRuns: runs, seed }), tryCutting);
  return { what: 'a stream in pieces arrives byte for byte', runs, failures, timed: 'a stream', timings };
}
