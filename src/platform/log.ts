import type { Writable } from 'node:stream';
import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import { LineSink } from './line-sink.ts';

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
  const sink = boundedSink(destination, (lines) => {
    log.warn('lines of the log were lost', { lines });
  });
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
const INFO_SHOWN: ReadonlySet<LogLevel> = new Set(['info', 'debug']);

/**
 * The line that pino would write, by JSON.stringify, which needs a sixth of the time for the twenty fields of a request. What it
 * cannot do (errors, circles, BigInt) is left to pino.
 */
const infoLines =
  (log: Log, sink: LineSink): Log['info'] =>
  (message, fields = {}) => {
    const line = 'error' in fields ? undefined : jsonLine(message, fields);
    if (line === undefined) log.info(message, fields);
    else sink.write(line);
  };

function jsonLine(msg: string, fields: object): string | undefined {
  try {
    // Joined as texts: an object with all of it in it would be made slowly, and then written slowly too.
    const inside = JSON.stringify(fields).slice(1, -1);
    return `{"level":${INFO},"time":${Date.now()}${inside === '' ? '' : ','}${inside},"msg":${JSON.stringify(msg)}}\n`;
  } catch {
    return undefined;
  }
}

/** What it has gathered is written at the end of the process, however that comes. */
function boundedSink(destination: Writable, onLost: (lines: number) => void): LineSink {
  const sink = new LineSink(destination, onLost);
  if (destination === process.stdout) {
    process.on('exit', () => {
      sink.flush();
    });
  }
  return sink;
}

const isTerminal = (stream: Writable): boolean => 'isTTY' in stream && stream.isTTY === true;
