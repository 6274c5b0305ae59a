import { CHUNKS } from './chunks.ts';
import { CONTENT_LENGTHS } from './content-length.ts';
import { HEADER_LINES } from './header-lines.ts';
import type { Payload } from './payload.ts';
import { REQUEST_LINES } from './request-line.ts';
import { TRANSFER_ENCODINGS } from './transfer-encoding.ts';

/**
 * What two programs might read differently, and what none should read at all: the classes of RFC 9112 and 9110, and of the
 * differences between servers that HTTP Garden has found (https://github.com/narfindustries/http-garden).
 */
export const CORPUS: readonly Payload[] = [
  ...REQUEST_LINES,
  ...HEADER_LINES,
  ...CONTENT_LENGTHS,
  ...TRANSFER_ENCODINGS,
  ...CHUNKS,
];
