import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { API_KEY } from './stage.ts';

/** A load that wrk makes. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly body: string;
  /** Milliseconds that a connection waits before each request; without it, it sends as soon as it is answered. */
  readonly pause?: number | undefined;
  /** Requests that all connections together send in a second, evenly, as long as one of them is free; instead of a pause. */
  readonly perSecond?: number | undefined;
  /** Whether it gives way to whoever else wants its core: a load of which only what it does to others is measured. */
  readonly yields?: boolean;
}

/** What wrk tells of a load. */
export interface Loaded {
  readonly requests: number;
  readonly perSecond: number;
  /** Answers with a status of 400 and more. */
  readonly refused: number;
  /** Connections that broke, and requests without an answer. */
  readonly failed: number;
  /** Milliseconds to the end of the answer. */
  readonly p50: number;
  readonly p99: number;
}

/** What wrk asks before each request, for the milliseconds to wait: each has its time, counted from the first. */
const evenly = (perSecond: number): string => `
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } moment; int clock_gettime(int, moment *);")
local moment, monotonic = ffi.new("moment"), 1
local function now()
  ffi.C.clock_gettime(monotonic, moment)
  return tonumber(moment.s) * 1000 + tonumber(moment.ns) / 1e6
end
local began, asked
function delay()
  if not began then began, asked = now(), 0 end
  asked = asked + 1
  return math.max(0, math.floor(began + asked * ${1000 / perSecond} - now() + 0.5))
end
`;

/** The same where each connection waits as long before each. */
const after = (pause: number): string => `function delay() return ${pause} end`;

/** The long brackets of Lua hold any text but their own end. */
const script = ({ body, pause, perSecond }: Load): string => `
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${API_KEY}"
wrk.body = [==[${body}]==]
${pause === undefined ? '' : after(pause)}
${perSecond === undefined ? '' : evenly(perSecond)}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("told %d %d %d %d %d %d\\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

const TOLD = /^told (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/mu;

let scripts = 0;

/** Runs wrk, with one thread, and resolves when it has ended. */
export async function runWrk(wrk: string, folder: string, load: Load): Promise<Loaded> {
  scripts += 1;
  const file = join(folder, `load-${scripts}.lua`);
  writeFileSync(file, script(load));
  const args = ['--threads', '1', '--connections', String(load.connections), '--duration', `${load.seconds}s`];
  const url = `http://127.0.0.1:${load.port}`;
  const niceness = load.yields === true ? '19' : '0';
  const command = [wrk, ...args, '--timeout', '30s', '--script', file, url];
  const { stdout } = await promisify(execFile)('nice', ['-n', niceness, ...command]);
  const told = TOLD.exec(stdout);
  if (told === null) throw new Error(`wrk does not tell what it did: ${stdout}`);
  const [requests = 0, microseconds = 1, refused = 0, failed = 0, p50 = 0, p99 = 0] = told.slice(1).map(Number);
  return { requests, perSecond: requests / (microseconds / 1e6), refused, failed, p50: p50 / 1000, p99: p99 / 1000 };
}
