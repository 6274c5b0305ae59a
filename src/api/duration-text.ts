import { type Duration, milliseconds, seconds } from '../domain/units.ts';

/** Go's notation for durations, as Kubernetes uses it (Go `time.ParseDuration`), without signs and units below 1 ms. */
const DURATION_PATTERN = '^(0|([0-9]+(\\.[0-9]+)?(h|m|s|ms))+)$';

/**
 * The same in a manifest, where Go reads it too: no amount that overflows its clock of 292 years, nothing shorter than 1 ms.
 * Together with `MANIFEST_DURATION_LENGTH`.
 */
export const MANIFEST_DURATION = String.raw`^(0|([0-9]{1,6}(\.[0-9]{1,6})?h|[0-9]{1,6}(\.[0-9]{1,4})?m|[0-9]{1,9}(\.[0-9]{1,3})?s|[0-9]{1,9}ms)+)$`;
/** Of the longest text: three amounts of the largest unit would overflow. */
export const MANIFEST_DURATION_LENGTH = 20;

/** 480 h. A timer that Node can hold ends after 24.8 days (2^31 - 1 ms); a longer one would fire at once. */
export const MAX_DURATION: Duration = milliseconds(480 * 3_600_000);

const WHOLE = new RegExp(DURATION_PATTERN, 'u');
const PART = /(?<amount>[0-9]+(?:\.[0-9]+)?)(?<unit>ms|h|m|s)/gu;
const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

function partMs(part: RegExpExecArray): number {
  const unit = UNIT_MS.get(String(part[2]));
  return unit === undefined ? NaN : Number(part[1]) * unit;
}

const withinLimit = (ms: number): Duration | undefined => (ms <= MAX_DURATION ? milliseconds(ms) : undefined);

/** Reads `15m`, `1h30m`, `1.5s`, `0s`. `undefined`: not a duration, or longer than `MAX_DURATION`. */
export function parseDuration(text: string): Duration | undefined {
  if (!WHOLE.test(text)) return undefined;
  return withinLimit(Math.round([...text.matchAll(PART)].map(partMs).reduce((sum, ms) => sum + ms, 0)));
}

/** As `parseDuration`, and a bare number counts seconds, as llama-server's own options do. */
export function parseSecondsOrDuration(text: string): Duration | undefined {
  return /^[0-9]+$/u.test(text) ? withinLimit(seconds(Number(text))) : parseDuration(text);
}

/** Writes a duration so that `parseDuration` reads it back: `1h30m`, `1500ms`, `0s`. */
export function formatDuration(duration: Duration): string {
  if (duration % 1000 !== 0) return `${duration}ms`;
  const total = duration / 1000;
  const parts = [
    [Math.floor(total / 3600), 'h'],
    [Math.floor(total / 60) % 60, 'm'],
    [total % 60, 's'],
  ] as const;
  const written = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`);
  return written.length === 0 ? '0s' : written.join('');
}
