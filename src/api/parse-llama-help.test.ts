import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLlamaHelp } from './parse-llama-help.ts';

/** Taken from the help of llama.cpp 0.5.0. */
const HELP = `----- common params -----

-h,    --help, --usage                  print usage and exit
--version                               show version and build info
-c,    --ctx-size N                     size of the prompt context (default: 0, 0 = loaded from model)
                                        (env: LLAMA_ARG_CTX_SIZE)
-kvo,  --kv-offload, -nkvo, --no-kv-offload
                                        whether to enable KV cache offloading (default: enabled)
                                        (env: LLAMA_ARG_KV_OFFLOAD)
--no-host                               bypass host buffer allowing extra buffers to be used
                                        (env: LLAMA_ARG_NO_HOST)
-ot,   --override-tensor <tensor name pattern>=<buffer type>,...
                                        override tensor buffer type
                                        (env: LLAMA_ARG_OVERRIDE_TENSOR)
--control-vector-layer-range START END
                                        layer range to apply the control vector(s) to, start and end inclusive
-hft,  --hf-token TOKEN                 Hugging Face access token (default: value from HF_TOKEN environment
                                        variable)
                                        (env: HF_TOKEN)


----- speculative params -----

--draft, --draft-n, --draft-max N       the argument has been removed. use --spec-draft-n-max or
                                        --spec-ngram-mod-n-max
                                        (env: LLAMA_ARG_DRAFT_MAX)
--mmproj-auto, --no-mmproj, --no-mmproj-auto
                                        whether to use multimodal projector file (if available), useful when
                                        using -hf (default: enabled)
                                        (env: LLAMA_ARG_MMPROJ_AUTO)
`;

const find = (name: string): ReturnType<typeof parseLlamaHelp>[number] | undefined =>
  parseLlamaHelp(HELP).find(({ names }) => names.includes(name));

test('every option of the help is found, with its spellings in their order', () => {
  assert.deepEqual(
    parseLlamaHelp(HELP).map(({ names }) => names.join(' ')),
    [
      '-h --help --usage',
      '--version',
      '-c --ctx-size',
      '-kvo --kv-offload',
      '--no-host',
      '-ot --override-tensor',
      '--control-vector-layer-range',
      '-hft --hf-token',
      '--draft --draft-n --draft-max',
      '--mmproj-auto',
    ],
  );
});

test('spellings that switch an option off are told from those that switch it on', () => {
  assert.deepEqual(find('-kvo')?.negatives, ['-nkvo', '--no-kv-offload']);
  assert.deepEqual(find('--mmproj-auto')?.negatives, ['--no-mmproj', '--no-mmproj-auto']);
  assert.deepEqual(find('--no-host'), {
    names: ['--no-host'],
    negatives: [],
    env: 'LLAMA_ARG_NO_HOST',
    values: 0,
    removed: undefined,
  });
});

test('values are counted by the hint, in which angle brackets may hold blanks', () => {
  assert.deepEqual(
    parseLlamaHelp(HELP).map(({ values }) => values),
    [0, 0, 1, 0, 0, 1, 2, 1, 1, 0],
  );
});

test('the environment variable and the advice of a removed option are kept', () => {
  assert.equal(find('-c')?.env, 'LLAMA_ARG_CTX_SIZE');
  assert.equal(find('--version')?.env, undefined);
  assert.equal(find('--hf-token')?.env, 'HF_TOKEN');
  assert.equal(find('--draft')?.removed, 'use --spec-draft-n-max or --spec-ngram-mod-n-max');
  assert.equal(find('-c')?.removed, undefined);
});

test('a help in which two options share a spelling is refused', () => {
  assert.throws(() => parseLlamaHelp(`${HELP}--version                               again\n`), /'--version'/u);
});
