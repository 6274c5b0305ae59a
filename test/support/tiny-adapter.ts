import { encodeGguf, type GgufTensor } from '../../src/api/gguf-encoding.ts';

/** Of the tiny models that are `quick`. */
const DIMENSION = 64;
const RANK = 1;

/**
 * Renders a LoRA adapter for tiny models (llama.cpp, src/llama-adapter.cpp), strong enough to be seen in every answer.
 */
export function renderTinyAdapter(): Buffer {
  const tensor = (name: string, dimensions: readonly number[], fill: () => number): GgufTensor => ({
    name: `blk.0.ffn_down.weight.${name}`,
    dimensions,
    fill,
  });
  let element = 0;
  return encodeGguf(
    new Map([
      ['general.type', { type: 'string', value: 'adapter' }],
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['adapter.type', { type: 'string', value: 'lora' }],
      ['adapter.lora.alpha', { type: 'float32', value: 1000 }],
    ]),
    [
      tensor('lora_a', [DIMENSION * 2, RANK], () => 1),
      // Uneven: a norm follows, which would take out what is added to all alike.
      tensor('lora_b', [RANK, DIMENSION], () => ((element += 1) % 7) - 3),
    ],
  );
}
