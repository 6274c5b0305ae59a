/** The head of one part of a form, as far as it has come. */
export interface PartHead {
  readonly lines: number;
  /** Of its Content-Disposition; `undefined`: there was none yet. */
  readonly name: string | undefined;
  /** It has a file's name, even if that is empty. */
  readonly isFile: boolean;
}

export const NO_HEAD: PartHead = { lines: 0, name: undefined, isFile: false };

export const MAX_PART_LINES = 16;

/** One line of a head: a name, a colon, and any text but control characters, on one line (RFC 9110 section 5.5). */
const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\x20-\x7e\x80-\xff]*$/;
const DISPOSITION = /^content-disposition: *form-data; */i;
/** In lower case, without blanks around `=`; at most one of the two file names. */
const PARAMETERS =
  /^(filename=(?:"[^"\\]*"|[\w.\-]+); *)?name=(?:"([^"\\]*)"|([\w.\-]+))(; *filename=(?:"[^"\\]*"|[\w.\-]+))?$/;
const ILL_DISPOSED =
  'a part has a Content-Disposition that is not form-data; name="…"; filename="…", without backslashes';

/** The head with one more line, its bytes as Latin 1; or what is wrong with it. */
export function withLine(head: PartHead, line: string): PartHead | { readonly reason: string } {
  const field = LINE.exec(line)?.[1];
  if (field === undefined) return { reason: 'a line in the head of a part is no header' };
  if (head.lines === MAX_PART_LINES) return { reason: `a part has more than ${MAX_PART_LINES} headers` };
  const next = { ...head, lines: head.lines + 1 };
  if (field.toLowerCase() !== 'content-disposition') return next;
  if (head.name !== undefined) return { reason: 'a part has more than one Content-Disposition' };
  return disposed(next, line);
}

/**
 * Takes one spelling only. llama-server's HTTP library takes backslashes as they are, the first of two parameters, and a field with
 * `filename*` for a file.
 */
function disposed(head: PartHead, line: string): PartHead | { readonly reason: string } {
  const before = DISPOSITION.exec(line);
  const found = before === null ? null : PARAMETERS.exec(line.slice(before[0].length));
  if (found === null) return { reason: ILL_DISPOSED };
  const [, first, quoted, plain, last] = found;
  if (first !== undefined && last !== undefined) return { reason: ILL_DISPOSED };
  return { ...head, name: quoted === undefined ? plain : quoted, isFile: first !== undefined || last !== undefined };
}
