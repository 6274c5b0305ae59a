import type { ServerResponse } from 'node:http';
import { milliseconds } from '../../../src/domain/units.ts';
import { replicaAt } from '../../../src/testing/http-kit.ts';
import { startLeanEdge } from './lean-edge.ts';

// An edge in a process of its own, for what must not share a memory or an event loop with its clients and replicas.
// Arguments: the ports of the replicas, each of a model of its own, `model-0`, `model-1`, and so on.

/** What this process says of its memory, in bytes. */
export interface MemoryReport {
  readonly rss: number;
  /** The most that waits for one client, and for all. */
  readonly largestQueue: number;
  readonly queues: number;
}

const answers = new Set<ServerResponse>();
const limits = { maxBodyBytes: 1024 * 1024, chunkTimeout: milliseconds(300_000) };
const { edge, port, publish } = await startLeanEdge(limits, { ended: () => undefined });
edge.server.on('request', (_req, res) => {
  answers.add(res);
  res.once('close', () => answers.delete(res));
});
publish(
  process.argv.slice(2).map((replicaPort, index) => ({
    model: `model-${index}`,
    replicas: [replicaAt(`replica-${index}`, Number(replicaPort))],
  })),
);

function reportMemory(): MemoryReport {
  const queues = [...answers].map((res) => res.writableLength);
  return {
    rss: process.memoryUsage.rss(),
    largestQueue: Math.max(0, ...queues),
    queues: queues.reduce((sum, bytes) => sum + bytes, 0),
  };
}

process.on('message', () => {
  process.send?.(reportMemory());
});
process.on('disconnect', () => {
  process.exit();
});
process.send?.(port);
