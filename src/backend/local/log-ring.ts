import { StringDecoder } from 'node:string_decoder';

/** The last lines of a child's output. */
export interface LogRing {
  /** Takes in one piece of output, cut anywhere. */
  write(chunk: Buffer): void;
  /** Up to `count` last lines, oldest first; an unfinished last line counts, blank ones and an option's usage do not. */
  tail(count: number): string[];
}

/** Keeps at most `lines` lines of at most `width` characters: a child that writes without end costs no memory. */
export function createLogRing(lines: number, width: number): LogRing {
  const decoder = new StringDecoder('utf8');
  let kept: string[] = [];
  let open = '';
  return {
    write: (chunk) => {
      const parts = (open + decoder.write(chunk)).split(/\r?\n/);
      open = parts.slice(-1).join('').slice(0, width);
      kept = [...kept, ...parts.slice(0, -1).map((line) => line.slice(0, width))].slice(-lines);
    },
    tail: (count) =>
      withoutUsage([...kept, open])
        .filter((line) => line.trim() !== '')
        .slice(-count),
  };
}

/** After an error about an option llama-server prints the usage of that option, so long that the error would be lost. */
function withoutUsage(lines: readonly string[]): readonly string[] {
  const start = lines.indexOf('usage:');
  const end = lines.indexOf('to show complete usage, run with -h');
  return start === -1 || end < start ? lines : [...lines.slice(0, start), ...lines.slice(end + 1)];
}
