import { GGUF_MAGIC } from './gguf-file.ts';

// The layout of a GGUF file, version 3, is specified in docs/gguf.md of https://github.com/ggml-org/ggml: all numbers
// little-endian; header, metadata, tensor infos, padding, tensor data.

const GGUF_VERSION = 3;
/** The specification's default for `general.alignment`: tensor data and every tensor begin at a multiple of it. */
const ALIGNMENT = 32;
/** `ggml_type` GGML_TYPE_F32. */
const GGML_TYPE_F32 = 0;
const F32_BYTES = 4;

/** `gguf_metadata_value_type` of the specification, the ones that are used here. */
const ValueType = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** A typed metadata value. */
export type GgufValue =
  | { readonly type: 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: 'int32' | 'float32'; readonly values: readonly number[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly values: readonly string[] };

/** A tensor of 32-bit floats. */
export interface GgufTensor {
  readonly name: string;
  /** As ggml orders them: the dimension that lies contiguous in memory first. */
  readonly dimensions: readonly number[];
  /** One number for each element, in memory order. */
  readonly fill: () => number;
}

/** Renders a whole GGUF file. */
export function encodeGguf(metadata: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Buffer {
  const pairs = [...metadata].map(([key, value]) => Buffer.concat([text(key), typedValue(value)]));
  const counts = [uint64(tensors.length), uint64(pairs.length)];
  const head = [Buffer.from(GGUF_MAGIC), uint32(GGUF_VERSION), ...counts, ...pairs, ...tensorInfos(tensors)];
  return Buffer.concat([padded(Buffer.concat(head)), ...tensors.map((tensor) => padded(tensorData(tensor)))]);
}

function tensorInfos(tensors: readonly GgufTensor[]): readonly Buffer[] {
  let offset = 0;
  return tensors.map((tensor) => {
    const { name, dimensions } = tensor;
    const shape = [uint32(dimensions.length), ...dimensions.map(uint64)];
    const info = Buffer.concat([text(name), ...shape, uint32(GGML_TYPE_F32), uint64(offset)]);
    offset += aligned(elements(tensor) * F32_BYTES);
    return info;
  });
}

function tensorData(tensor: GgufTensor): Buffer {
  const data = Buffer.alloc(elements(tensor) * F32_BYTES);
  for (let at = 0; at < data.length; at += F32_BYTES) data.writeFloatLE(tensor.fill(), at);
  return data;
}

const elements = (tensor: GgufTensor): number => tensor.dimensions.reduce((product, size) => product * size, 1);

function typedValue(value: GgufValue): Buffer {
  return Buffer.concat([uint32(ValueType[value.type]), bareValue(value)]);
}

function bareValue(value: GgufValue): Buffer {
  switch (value.type) {
    case 'uint32':
      return uint32(value.value);
    case 'int32':
      return int32(value.value);
    case 'float32':
      return float32(value.value);
    case 'bool':
      return Buffer.from([value.value ? 1 : 0]);
    case 'string':
      return text(value.value);
    case 'array':
      return Buffer.concat([uint32(ValueType[value.of]), uint64(value.values.length), ...items(value)]);
  }
}

function items(array: Extract<GgufValue, { type: 'array' }>): readonly Buffer[] {
  switch (array.of) {
    case 'string':
      return array.values.map(text);
    case 'int32':
      return array.values.map(int32);
    case 'float32':
      return array.values.map(float32);
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);
}
