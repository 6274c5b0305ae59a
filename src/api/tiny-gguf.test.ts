import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isGguf } from './gguf-file.ts';
import { renderTinyGguf } from './tiny-gguf.ts';

const FIXED_BYTES = new Map([[4, 4], [5, 4], [6, 4], [7, 1]]); // prettier-ignore

/** A reader of its own, by the specification: it shares nothing with the writer. */
class GgufReader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }
  u64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigUInt64LE(this.#at - 8));
  }
  text(): string {
    const length = this.u64();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
  value(type = this.u32()): unknown {
    if (type === 8) return this.text();
    if (type === 9) {
      const of = this.u32();
      return Array.from({ length: this.u64() }, () => this.value(of));
    }
    const size = FIXED_BYTES.get(type);
    assert.ok(size !== undefined, `value type ${type} is not expected`);
    this.#at += size;
    if (type === 6) return this.#bytes.readFloatLE(this.#at - size);
    return this.#bytes.readUIntLE(this.#at - size, size);
  }
  tensor(): { name: string; dimensions: number[]; type: number; offset: number } {
    const name = this.text();
    const dimensions = Array.from({ length: this.u32() }, () => this.u64());
    return { name, dimensions, type: this.u32(), offset: this.u64() };
  }
  get at(): number {
    return this.#at;
  }
}

function readGguf(bytes: Buffer) {
  const reader = new GgufReader(bytes);
  const magic = reader.u32();
  const version = reader.u32();
  const tensorCount = reader.u64();
  const pairCount = reader.u64();
  const metadata = new Map(Array.from({ length: pairCount }, () => [reader.text(), reader.value()] as const));
  const tensors = Array.from({ length: tensorCount }, () => reader.tensor());
  return { magic, version, metadata, tensors, dataStart: Math.ceil(reader.at / 32) * 32 };
}

test('A tiny model reads back as a GGUF file of version 3 with the shape that was asked for.', () => {
  const bytes = renderTinyGguf({ seed: 1, dimension: 32, layers: 3 });
  const file = readGguf(bytes);
  assert.equal(file.magic, bytes.readUInt32LE(0));
  assert.equal(bytes.toString('latin1', 0, 4), 'GGUF');
  assert.equal(file.version, 3);
  assert.equal(file.metadata.get('llama.embedding_length'), 32);
  assert.equal(file.metadata.get('llama.block_count'), 3);
  assert.equal(file.metadata.get('llama.vocab_size'), 274);
  assert.equal(file.tensors.length, 3 + 3 * 9);
});

test('Each tensor begins aligned where the one before it ends, and the last one ends the file.', () => {
  const bytes = renderTinyGguf({ seed: 1, dimension: 24 });
  const { tensors, dataStart } = readGguf(bytes);
  let end = 0;
  for (const tensor of tensors) {
    assert.equal(tensor.offset, end, tensor.name);
    end += Math.ceil((tensor.dimensions.reduce((a, b) => a * b) * 4) / 32) * 32;
  }
  assert.equal(dataStart + end, bytes.length);
});

test('The vocabulary has a token for each byte, and as many scores and types as tokens.', () => {
  const { metadata } = readGguf(renderTinyGguf({ seed: 1 }));
  const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
  for (const byte of ['<0x00>', '<0x0A>', '<0xFF>']) assert.ok(tokens.includes(byte), byte);
  assert.equal((metadata.get('tokenizer.ggml.scores') as number[]).length, tokens.length);
  assert.equal((metadata.get('tokenizer.ggml.token_type') as number[]).length, tokens.length);
});

test('The same seed makes the same bytes, another seed other bytes of the same length.', () => {
  const seeds = fc.uniqueArray(fc.integer({ min: -1000, max: 100_000 }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(seeds, ([one, other]) => {
      assert.ok(one !== undefined && other !== undefined);
      const first = renderTinyGguf({ seed: one, dimension: 8, layers: 1 });
      assert.ok(first.equals(renderTinyGguf({ seed: one, dimension: 8, layers: 1 })));
      const second = renderTinyGguf({ seed: other, dimension: 8, layers: 1 });
      assert.ok(!first.equals(second));
      assert.equal(first.length, second.length);
    }),
    { numRuns: 20 },
  );
});

test('The default model is about half a megabyte with a width of 64 and 2 layers.', () => {
  const bytes = renderTinyGguf({ seed: 7 });
  const { metadata } = readGguf(bytes);
  assert.equal(metadata.get('llama.embedding_length'), 64);
  assert.equal(metadata.get('llama.block_count'), 2);
  assert.ok(bytes.length > 400_000 && bytes.length < 600_000, String(bytes.length));
});

test('A shape that no model can have is refused by name.', () => {
  assert.throws(() => renderTinyGguf({ seed: 0.5 }), /seed 0.5 is not an integer/);
  assert.throws(() => renderTinyGguf({ seed: 1, dimension: 12 }), /dimension 12 is not a multiple of 8/);
  assert.throws(() => renderTinyGguf({ seed: 1, dimension: 0 }), /dimension 0 /);
  assert.throws(() => renderTinyGguf({ seed: 1, layers: 0 }), /layers 0 is not an integer above 0/);
});

test('A file is a GGUF by its first four bytes; empty, short, other and missing files are not.', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'corral-gguf-'));
  try {
    const cases = new Map([['model', true], ['empty', false], ['short', false], ['text', false]]); // prettier-ignore
    await writeFile(join(folder, 'model'), renderTinyGguf({ seed: 1, dimension: 8, layers: 1 }));
    await writeFile(join(folder, 'empty'), '');
    await writeFile(join(folder, 'short'), 'GGU');
    await writeFile(join(folder, 'text'), 'gguf, said the text');
    for (const [name, expected] of cases) assert.equal(await isGguf(join(folder, name)), expected, name);
    await assert.rejects(isGguf(join(folder, 'missing')), { code: 'ENOENT' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
