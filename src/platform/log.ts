import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import { FileTarget } from './file-target.ts';
import { LineSink, type SinkTarget } from './line-sink.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** One line per call: a constant message, and what varies in `fields`, so that lines can be counted by message. */
export interface Log {
  error(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  debug(message: string, fields?: object): void;
}

export interface LogOptions {
  /** Lines for people instead of JSON lines. */
  readonly pretty: boolean;
  readonly level: LogLevel;
  /** Standard output unless given. */
  readonly destination?: Writable;
}

/**
 * A log that writes JSON lines, or lines for people. An `error` among the fields is written with its stack and causes. Whoever
 * reads JSON lines slowly, or not at all, holds nobody up; a terminal is waited for.
 */
export function createLog({ pretty: forPeople, level, destination = process.stdout }: LogOptions): Log {
  if (forPeople) return viaPino(level, pretty({ destination, colorize: isTerminal(destination), singleLine: true }));
  const sink = boundedSink(destination, (lines) => lossLine(level, lines));
  const log = viaPino(level, sink);
  return INFO_SHOWN.has(level) ? { ...log, info: infoLines(log, sink) } : log;
}

function viaPino(level: LogLevel, sink: DestinationStream): Log {
  const logger = pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, sink);
  return {
    error: (message, fields = {}) => {
      logger.error(fields, message);
    },
    warn: (message, fields = {}) => {
      logger.warn(fields, message);
    },
    info: (message, fields = {}) => {
      logger.info(fields, message);
    },
    debug: (message, fields = {}) => {
      logger.debug(fields, message);
    },
  };
}

const INFO = pino.levels.values['info'];
const WARN = pino.levels.values['warn'];
const INFO_SHOWN: ReadonlySet<LogLevel> = new Set(['info', 'debug']);
const WARN_SHOWN: ReadonlySet<LogLevel> = new Set([...INFO_SHOWN, 'warn']);

const lossLine = (level: LogLevel, lines: number): string =>
  WARN_SHOWN.has(level) ? jsonLine(WARN, 'lines of the log were lost', { lines }) : '';

/**
 * The line that pino would write, by JSON.stringify, which needs a sixth of the time for the twenty fields of a request. What it
 * cannot do (errors, circles, BigInt) is left to pino.
 */
const infoLines =
  (log: Log, sink: LineSink): Log['info'] =>
  (message, fields = {}) => {
    const line = 'error' in fields ? undefined : infoLine(message, fields);
    if (line === undefined) log.info(message, fields);
    else sink.write(line);
  };

function infoLine(msg: string, fields: object): string | undefined {
  try {
    return jsonLine(INFO, msg, fields);
  } catch {
    return undefined;
  }
}

function jsonLine(level: number | undefined, msg: string, fields: object): string {
  // Joined as texts: an object with all of it in it would be made slowly, and then written slowly too.
  const inside = JSON.stringify(fields).slice(1, -1);
  return `{"level":${level},"time":${Date.now()}${inside === '' ? '' : ','}${inside},"msg":${JSON.stringify(msg)}}\n`;
}

/** What it has gathered is written at the end of the process, however that comes. */
function boundedSink(destination: Writable, tellLoss: (lines: number) => string): LineSink {
  const sink = new LineSink(targetOf(destination), tellLoss);
  if (destination === process.stdout) {
    process.on('exit', () => {
      sink.flush();
    });
  }
  return sink;
}

const targetOf = (destination: Writable): SinkTarget =>
  destination === process.stdout && fstatSync(process.stdout.fd).isFile()
    ? new FileTarget(process.stdout.fd)
    : destination;

const isTerminal = (stream: Writable): boolean => 'isTTY' in stream && stream.isTTY === true;
