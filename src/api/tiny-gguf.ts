import { encodeGguf } from './gguf-encoding.ts';
import type { GgufTensor, GgufValue } from './gguf-encoding.ts';

/** Which tiny model to make. Two of one shape differ in their seed only. */
export interface TinyGguf {
  /** An integer, of which the lower 32 bits count: the same one makes the same bytes. */
  readonly seed: number;
  /** Width of the model: a multiple of 8, so that it splits into heads whose halves are rotated. Default 64. */
  readonly dimension?: number;
  /** Default 2. */
  readonly layers?: number;
}

const HEADS = 4;
/** Each head rotates pairs of numbers (rotary position embedding). */
const WIDTH_STEP = HEADS * 2;
const CONTEXT_LENGTH = 2048;

/**
 * Renders a model of llama's architecture with random weights: about 0.5 MB, loaded by llama-server in some 40 ms. It
 * answers nonsense, but everything about serving it is real. Throws a RangeError for a shape that cannot be.
 */
export function renderTinyGguf({ seed, dimension = 64, layers = 2 }: TinyGguf): Buffer {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed ${seed} is not an integer`);
  if (!isPositive(dimension) || dimension % WIDTH_STEP !== 0) {
    throw new RangeError(`dimension ${dimension} is not a multiple of ${WIDTH_STEP} above 0`);
  }
  if (!isPositive(layers)) throw new RangeError(`layers ${layers} is not an integer above 0`);
  const vocabulary = tinyVocabulary();
  const shape = { dimension, layers, feedForward: dimension * 2, vocabulary: vocabulary.length };
  return encodeGguf(new Map([...architecture(shape), ...tokenizer(vocabulary)]), tensors(shape, seed));
}

const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

interface Shape {
  readonly dimension: number;
  readonly layers: number;
  readonly feedForward: number;
  readonly vocabulary: number;
}

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
const float32 = (value: number): GgufValue => ({ type: 'float32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });
const bool = (value: boolean): GgufValue => ({ type: 'bool', value });

type Metadata = readonly (readonly [string, GgufValue])[];

function architecture({ dimension, layers, feedForward, vocabulary }: Shape): Metadata {
  return [
    ['general.architecture', text('llama')],
    ['general.name', text('tiny')],
    ['general.file_type', uint32(0)],
    ['llama.vocab_size', uint32(vocabulary)],
    ['llama.context_length', uint32(CONTEXT_LENGTH)],
    ['llama.embedding_length', uint32(dimension)],
    ['llama.block_count', uint32(layers)],
    ['llama.feed_forward_length', uint32(feedForward)],
    ['llama.attention.head_count', uint32(HEADS)],
    ['llama.attention.head_count_kv', uint32(HEADS)],
    ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
    ['llama.rope.dimension_count', uint32(dimension / HEADS)],
  ];
}

/** llama.cpp's `llama_token_type`, the ones that are used here. */
const TokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

interface Token {
  readonly text: string;
  readonly type: number;
  readonly score: number;
}

const UNKNOWN_ID = 0;
const BEGIN_ID = 1;
const END_ID = 2;
/** SentencePiece writes a blank as U+2581. */
const WORDS = '▁the ▁a ▁of ▁to ▁and ▁in ▁is ▁it ▁cat ▁dog ▁sun ▁sea . , ▁'.split(' ');

/** A token for every byte, so that any text can be read, and a few words, so that not every answer is bytes. */
function tinyVocabulary(): readonly Token[] {
  const special: readonly Token[] = [
    { text: '<unk>', type: TokenType.unknown, score: 0 },
    { text: '<s>', type: TokenType.control, score: 0 },
    { text: '</s>', type: TokenType.control, score: 0 },
  ];
  const bytes = Array.from({ length: 256 }, (_, byte) => ({ text: byteToken(byte), type: TokenType.byte, score: 0 }));
  // SentencePiece merges towards the highest score, so the earlier word wins.
  const words = WORDS.map((word, index) => ({ text: word, type: TokenType.normal, score: -1 - index }));
  return [...special, ...bytes, ...words];
}

/** As SentencePiece names a byte: `<0x0A>`. */
const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

function tokenizer(vocabulary: readonly Token[]): Metadata {
  return [
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', values: vocabulary.map((token) => token.text) }],
    ['tokenizer.ggml.scores', { type: 'array', of: 'float32', values: vocabulary.map((token) => token.score) }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', values: vocabulary.map((token) => token.type) }],
    ['tokenizer.ggml.bos_token_id', uint32(BEGIN_ID)],
    ['tokenizer.ggml.eos_token_id', uint32(END_ID)],
    ['tokenizer.ggml.unknown_token_id', uint32(UNKNOWN_ID)],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_eos_token', bool(false)],
  ];
}

/** Norms are one, everything else is drawn. */
function tensors({ dimension, layers, feedForward, vocabulary }: Shape, seed: number): readonly GgufTensor[] {
  const random = randomWeights(seed);
  const norm = (name: string): GgufTensor => ({ name, dimensions: [dimension], fill: () => 1 });
  const weights = (name: string, columns: number, rows: number): GgufTensor => ({
    name,
    dimensions: [columns, rows],
    fill: random,
  });
  const layer = (_: unknown, index: number): readonly GgufTensor[] => [
    norm(`blk.${index}.attn_norm.weight`),
    weights(`blk.${index}.attn_q.weight`, dimension, dimension),
    weights(`blk.${index}.attn_k.weight`, dimension, dimension),
    weights(`blk.${index}.attn_v.weight`, dimension, dimension),
    weights(`blk.${index}.attn_output.weight`, dimension, dimension),
    norm(`blk.${index}.ffn_norm.weight`),
    weights(`blk.${index}.ffn_gate.weight`, dimension, feedForward),
    weights(`blk.${index}.ffn_up.weight`, dimension, feedForward),
    weights(`blk.${index}.ffn_down.weight`, feedForward, dimension),
  ];
  return [
    weights('token_embd.weight', dimension, vocabulary),
    norm('output_norm.weight'),
    weights('output.weight', dimension, vocabulary),
    ...Array.from({ length: layers }, layer).flat(),
  ];
}

/** Numbers between -0.25 and 0.25 from xorshift32 (Marsaglia 2003), which must not start at zero. */
function randomWeights(seed: number): () => number {
  // An odd factor spreads neighbouring seeds and keeps them apart; at zero xorshift would stay for ever.
  const spread = Math.imul(seed, 0x9e3779b1) >>> 0;
  let state = spread === 0 ? 0x9e3779b1 >>> 1 : spread;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return (state / 2 ** 32 - 0.5) / 2;
  };
}
