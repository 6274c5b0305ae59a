/**
 * Stands in for a llama-server that streams: answers each request with as many events as its body asks for, each in an
 * HTTP chunk of its own and with the time at which it was written. Run as `node events-stub.ts PORT`. Asked for a pause,
 * it keeps to the times at which events are due; without one it writes all at once. It holds a stream open if told so.
 */
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const HEALTHY = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}';
const LAST_CHUNK = '0\r\n\r\n';
const NANOSECONDS = 1_000_000n;

const nowMs = (): number => Number(process.hrtime.bigint()) / Number(NANOSECONDS);

/** What llama-server tells in its last event. */
const TIMINGS = ',"timings":{"cache_n":0,"prompt_n":240,"prompt_ms":412.5,"predicted_n":256,"predicted_ms":5120.0}';

/** As long as llama-server's own, and `sent` for whoever measures the way. */
const eventOf = (sent: string, more = ''): string =>
  `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" word"}}],"created":1795849977,"id":"chatcmpl-8Qd0kzXJ9yrqvTn7hYkUe1mJxJxTz0aB","model":"m0","system_fingerprint":"b1-de3ff81","object":"chat.completion.chunk","sent":${sent}${more}}\n\n`;

const chunkOf = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

interface Asked {
  readonly events: number;
  /** Milliseconds between two events; 0: all at once. */
  readonly pause: number;
  /** The stream has no end. */
  readonly open: boolean;
}

const isAsked = (value: unknown): value is Asked =>
  typeof value === 'object' && value !== null && 'events' in value && 'pause' in value && 'open' in value;

async function stream(socket: Socket, { events, pause, open }: Asked): Promise<void> {
  if (pause === 0 && !open) {
    socket.write(HEAD + chunkOf(eventOf('0')).repeat(events - 1) + chunkOf(eventOf('0', TIMINGS)) + LAST_CHUNK);
    return;
  }
  socket.write(HEAD);
  const begun = nowMs();
  for (let event = 0; event < events && !socket.destroyed; event += 1) {
    const due = begun + event * pause - nowMs();
    if (due > 0) await delay(due);
    socket.write(chunkOf(eventOf(nowMs().toFixed(3), event === events - 1 ? TIMINGS : '')));
  }
  if (!open) socket.write(LAST_CHUNK);
}

function answer(socket: Socket, body: string): void {
  const asked: unknown = body === '' ? undefined : JSON.parse(body);
  if (isAsked(asked)) void stream(socket, asked);
  else socket.write(HEALTHY);
}

createServer({ noDelay: true }, (socket) => {
  let received = '';
  socket.setEncoding('latin1');
  socket.on('error', () => undefined);
  socket.on('data', (text: string) => {
    received += text;
    const head = received.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = /^content-length: (\d+)/imu.exec(received.slice(0, head));
    const end = head + 4 + (length === null ? 0 : Number(length[1]));
    if (received.length < end) return;
    const body = received.slice(head + 4, end);
    received = received.slice(end);
    answer(socket, body);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', 4096);
