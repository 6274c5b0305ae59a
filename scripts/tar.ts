import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Something in a tar archive. All of it belongs to root, and is as old as 1970: the same content makes the same bytes. */
export type TarEntry =
  | { readonly kind: 'folder'; readonly name: string; readonly mode: number }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  /** `read` is called once, when the entry is written. */
  | { readonly kind: 'file'; readonly name: string; readonly mode: number; readonly read: () => Uint8Array }
  /** A file that does not change meanwhile, and may be too large to read at once. */
  | { readonly kind: 'large'; readonly name: string; readonly from: string };

const BLOCK = 512;
const CHUNK = 1 << 20;
const TYPES = { folder: '5', link: '2', file: '0', large: '0' } as const;

/** The archive (POSIX ustar), in parts, which need not fit into memory together. Throws for a name that is too long. */
export function* renderTar(entries: Iterable<TarEntry>): Generator<Uint8Array> {
  for (const entry of entries) {
    const { size, parts } = contentOf(entry);
    yield header(entry, size);
    yield* parts;
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function contentOf(entry: TarEntry): { readonly size: number; readonly parts: Iterable<Uint8Array> } {
  switch (entry.kind) {
    case 'folder':
    case 'link':
      return { size: 0, parts: [] };
    case 'file': {
      const bytes = entry.read();
      return { size: bytes.length, parts: [bytes] };
    }
    case 'large':
      return { size: statSync(entry.from).size, parts: readInParts(entry.from) };
  }
}

function* readInParts(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const length = readSync(file, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function header(entry: TarEntry, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const { prefix, name } = splitName(entry.kind === 'folder' ? `${entry.name}/` : entry.name);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'ascii');
  };
  block.write(name, 0);
  octal('mode' in entry ? entry.mode : entry.kind === 'link' ? 0o777 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(TYPES[entry.kind], 156, 'ascii');
  if (entry.kind === 'link') block.write(checkLength(entry.target, 100), 157);
  block.write('ustar\x0000', 257, 'ascii');
  block.write(prefix, 345);
  // The sum counts its own field as blanks.
  block.write('        ', 148, 'ascii');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return block;
}

/** ustar has 100 bytes for a name, and 155 for folders in front of it. */
function splitName(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  const cut = path.indexOf('/', path.length - 101);
  if (cut === -1 || cut === path.length - 1) throw new Error(`${path}: too long a name for a tar archive`);
  return { prefix: checkLength(path.slice(0, cut), 155), name: checkLength(path.slice(cut + 1), 100) };
}

function checkLength(text: string, most: number): string {
  if (Buffer.byteLength(text) > most)
    throw new Error(`${text}: longer than the ${most} bytes that a tar archive has for it`);
  return text;
}
