import http from 'node:http';
import { answerTo, send, type AskOptions } from './http-kit.ts';

/** Requests under way at once. */
const CLIENTS = 8;

/** Sends many requests over a few connections, and returns how often each status came. Those with a body are POST, others GET. */
export async function askMany(
  port: number,
  total: number,
  requestOf: (number: number) => Pick<AskOptions, 'path' | 'body'>,
): Promise<ReadonlyMap<number, number>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  const statuses = new Map<number, number>();
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < total) {
      const options = requestOf((sent += 1));
      const method = options.body === undefined ? 'GET' : 'POST';
      const { status } = await answerTo(send({ port }, { ...options, method, agent }));
      const before = statuses.get(status);
      statuses.set(status, before === undefined ? 1 : before + 1);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return statuses;
}
