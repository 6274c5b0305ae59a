import type { Problem, Site } from './problem.ts';
import type { FileBytes } from './read-file.ts';

/** A key as its client has it, in bytes, and where it stands. */
export interface LlamaKey {
  readonly key: Buffer;
  readonly site: Site;
}

export interface LlamaKeys {
  readonly keys: readonly LlamaKey[];
  readonly problems: readonly Problem[];
}

/**
 * The keys of one `--api-key`: fields that are separated by commas; one in double quotes may hold commas, and a quote as two.
 * Empty ones are passed over. As `parse_csv_row` of llama.cpp's common/arg.cpp reads them.
 */
export function parseLlamaKeys(value: string): LlamaKeys {
  const site = { file: 'command line', field: '--api-key or LLAMA_API_KEY' };
  const keys = splitFields(value)
    .filter((field) => field !== '')
    .map((field) => ({ key: Buffer.from(field, 'utf8'), site }));
  if (keys.length > 0) return { keys, problems: keys.flatMap(unsendable) };
  // llama-server would let everybody in.
  return { keys, problems: [{ ...site, reason: 'it holds no key', fix: 'Give one, or leave the option out.' }] };
}

function splitFields(value: string): string[] {
  const fields: string[] = [];
  let [field, isQuoted] = ['', false];
  for (let at = 0; at < value.length; at += 1) {
    const character = value.charAt(at);
    if (character === '"' && isQuoted && value.charAt(at + 1) === '"') {
      field += '"';
      at += 1;
    } else if (character === '"' && (isQuoted || field === '')) isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field];
}

/**
 * The keys of one `--api-key-file`: one a line; empty lines, and lines that begin with `#`, are passed over, and nothing is
 * trimmed. As llama.cpp's common/arg.cpp reads them.
 */
export function readLlamaKeys({ file, bytes }: FileBytes): LlamaKeys {
  // Each byte is a character, so that none is lost.
  const lines = bytes.toString('latin1').split('\n');
  const keys = lines.flatMap((line, index) =>
    line === '' || line.startsWith('#')
      ? []
      : [{ key: Buffer.from(line, 'latin1'), site: { file, line: index + 1, column: 1 } }],
  );
  if (keys.length > 0) return { keys, problems: keys.flatMap(unsendable) };
  return { keys, problems: [{ file, reason: 'the file holds no key', fix: 'Write one key a line.' }] };
}

const BYTE_ORDER_MARK = Buffer.from('\u{feff}', 'utf8');

/** A key that no client can send would lock everybody out who has it, and nobody would see why. */
function unsendable({ key, site }: LlamaKey): Problem[] {
  const text = key.toString('latin1');
  if (text.endsWith('\r')) {
    return [{ ...site, reason: 'the line ends in a carriage return', fix: 'End lines with a line feed only.' }];
  }
  if (key.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
    return [{ ...site, reason: 'the line begins with a byte order mark', fix: 'Write the file without one.' }];
  }
  // Blanks around a header's value are not part of it, and control characters are not allowed (RFC 9110 section 5.5).
  if (/^[ \t]|[ \t]$|[\0-\x08\x0a-\x1f\x7f]/u.test(text)) {
    const reason = 'a key must not begin or end with blanks, or hold control characters: no client can send it';
    return [{ ...site, reason }];
  }
  return [];
}
