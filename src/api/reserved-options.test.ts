import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ArgItem, findOption } from './llama-options.ts';
import { type OptionSource, findEnvRefusal, findRefusal } from './reserved-options.ts';

function item(name: string): ArgItem {
  const found = findOption(name);
  assert.ok(found !== undefined, name);
  const { option, negated } = found;
  return option.values === 0
    ? { kind: 'flag', option, on: !negated }
    : { kind: 'values', option, values: Array.from({ length: option.values }, () => 'x') };
}

const reason = (name: string, source: OptionSource): string | undefined => findRefusal(item(name), source)?.reason;

test('what Corral sets, what breaks isolation and what hides a server is refused from everywhere', () => {
  const refused = [
    ...['--host', '--port', '-a', '--api-prefix', '--api-key', '--api-key-file', '--ssl-key-file', '--path'],
    ...['--models-dir', '--models-preset', '--models-max', '--no-models-autoload', '--rpc', '--sleep-idle-seconds'],
    ...['--no-slots', '--tools', '--log-file', '--log-disable', '--reuse-port', '--agent', '--mcp-servers-json'],
    ...['--ui-config', '--webui-mcp-proxy', '-h', '--version', '--list-devices', '--gpt-oss-20b-default', '--draft'],
  ];
  for (const source of ['command line', 'presets file', 'manifest'] as const) {
    for (const name of refused) assert.notEqual(reason(name, source), undefined, `${name} from ${source}`);
  }
});

test('options that change the model only are allowed', () => {
  const allowed = ['-c', '--jinja', '--slots', '--no-webui', '--no-agent', '--metrics', '--slot-save-path', '--mmproj'];
  for (const source of ['command line', 'presets file', 'manifest'] as const) {
    for (const name of allowed) assert.equal(reason(name, source), undefined, `${name} from ${source}`);
  }
});

test('a presets file names its models, a manifest has a field for it, and a command line has folders for it', () => {
  for (const name of ['--model', '-hf', '--hf-file', '--model-url', '--docker-repo']) {
    assert.equal(reason(name, 'presets file'), undefined);
    assert.match(String(reason(name, 'manifest')), /source/u);
    assert.match(String(reason(name, 'command line')), /single-model server/u);
  }
});

test('a variable that does what a reserved option does is refused, others are not', () => {
  for (const name of [
    'LLAMA_API_KEY',
    'LLAMA_ARG_PORT',
    'LLAMA_ARG_MODEL',
    'LLAMA_SERVER_ROUTER_PORT',
    'AIP_MODE',
    'AIP_HTTP_PORT',
    'LLAMA_ARG_RPC',
  ]) {
    assert.notEqual(findEnvRefusal(name), undefined, name);
  }
  for (const name of [
    'HF_TOKEN',
    'CUDA_VISIBLE_DEVICES',
    'LLAMA_ARG_CTX_SIZE',
    'LLAMA_ARG_NOT_YET_KNOWN',
    'AIPLANE',
    'port',
    '__proto__',
  ]) {
    assert.equal(findEnvRefusal(name), undefined, name);
  }
});
