import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { milliseconds } from '../domain/units.ts';
import { DEFAULT_EDGE_LIMITS } from '../edge/limits.ts';
import { type CheckedManifests, checkManifests, runCheck } from './check-manifests.ts';
import { DEFAULT_SURFACE_FLAGS } from './surface-options.ts';

const settings = { args: [], idleTimeout: milliseconds(0), autoload: true, maxLoaded: undefined };

const check = (...texts: readonly string[]): CheckedManifests => {
  const manifests = texts.map((text, index) => ({ file: `${index}.yaml`, text }));
  return checkManifests({ sources: { modelsDir: undefined, presets: undefined, manifests, problems: [] }, settings });
};

const object = (kind: string, metadata: string, spec: string): string =>
  `apiVersion: corral.dev/v1alpha1\nkind: ${kind}\nmetadata: { ${metadata} }\nspec: ${spec}\n`;
const deployment = (preset: string, metadata = 'name: chat'): string =>
  object('ModelDeployment', metadata, `{ presets: [{ name: a, ${preset} }] }`);

test('each object that a cluster would accept is listed, a pool without a namespace', () => {
  const checked = check(
    `${deployment('source: { path: /a }', 'name: chat, namespace: ml')}---\n${object('ModelPool', 'name: default, namespace: x', '{}')}`,
    deployment('model: b, source: { path: /a }'),
  );
  assert.deepEqual(checked, {
    valid: [
      '0.yaml: ModelDeployment ml/chat: valid',
      '0.yaml: ModelPool default: valid',
      '1.yaml: ModelDeployment chat: valid',
    ],
    problems: [],
    notes: [],
  });
});

test('what a cluster would refuse is a problem, and the objects beside it are valid', () => {
  const { valid, problems, notes } = check(
    `${deployment("source: { path: /a }, args: ['--port=1']")}---\n${deployment('source: { path: /b }', 'name: other')}`,
  );
  assert.deepEqual(valid, ['0.yaml: ModelDeployment other: valid']);
  assert.deepEqual(problems, [
    '0.yaml:4:59: spec.presets[0].args[0]: --port: Corral sets the address of each llama-server itself.',
  ]);
  assert.deepEqual(notes, []);
});

test('what only corral serve refuses, and what has no effect in it, is a note', () => {
  const { problems, notes } = check(
    deployment(
      "source: { persistentVolumeClaim: { claimName: c, path: a } }, args: ['--future=1'], pod: { labels: { a: b } }",
    ),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(notes, [
    'corral serve refuses this, a cluster does not: 0.yaml:4:40: spec.presets[0].source.persistentVolumeClaim: needs a cluster.',
    'corral serve refuses this, a cluster does not: 0.yaml:4:99: spec.presets[0].args[0]: --future: llama-server v0.5.0 has no such option. If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in env.',
    '0.yaml: spec.presets[0].pod: no effect in corral serve: it matters in a cluster only',
  ]);
});

test('a name that another object has is a note: in a cluster the first one keeps it', () => {
  const { problems, notes } = check(
    deployment('source: { path: /a }'),
    deployment('source: { path: /a }', 'name: other'),
  );
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /^corral serve refuses this, .*1\.yaml.*: the name 'a' is taken by 0\.yaml/u);
});

test('what a cluster stores and does not run is a note, and so is an amount that nobody counts', () => {
  const { problems, notes } = check(
    deployment('source: { path: /a }, priority: 2, footprint: { vram: 1 }'),
    object('ModelPool', 'name: default', '{ maxPriority: 1, capacity: { resources: { gpu: 1 } } }'),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    notes.map((note) => note.replace(/^(.*): 0\.yaml.*(?:priority|footprint): .*/u, '$1')),
    [
      'a cluster takes this and does not run it (PriorityNotAllowed), corral serve refuses it',
      'a cluster takes this and does not run it (UnknownResource), corral serve refuses it',
    ],
  );
  const alone = check(deployment('source: { path: /a }, priority: 2, footprint: { vram: 1 }'));
  assert.match(
    alone.notes.join('\n'),
    /^corral serve refuses this, a cluster does not: .*priority 2 .*\n0\.yaml: spec\.presets\[0\]\.footprint: no effect in corral serve: it matters in a cluster, and where /u,
  );
});

test('a pool that none of the manifests declares is a note: a cluster may have it', () => {
  const { valid, problems, notes } = check(
    object('ModelDeployment', 'name: chat', '{ pool: gpux, presets: [{ name: a, source: { path: /a } }] }'),
  );
  assert.deepEqual([valid, problems], [['0.yaml: ModelDeployment chat: valid'], []]);
  assert.equal(notes.length, 1);
  assert.match(
    notes.join(),
    /^0\.yaml:4:15: spec\.pool: no ModelPool gpux is declared in these .* 503 pool_not_found\. /u,
  );
});

test('a fault is told once, whoever finds it', () => {
  const { problems, notes } = check(
    deployment("source: { path: /a }, args: ['--port=1', '-c 1'], env: [{ name: LLAMA_ARG_PORT, value: x }]"),
  );
  assert.equal(problems.length, 3);
  assert.deepEqual(notes, []);
});

test('a file that holds no manifest is a problem', () => {
  assert.deepEqual(check('a: 1').problems, [
    '0.yaml:1:1: kind: corral serve reads ModelDeployment and ModelPool only.',
  ]);
  assert.deepEqual(check('').problems, ['0.yaml: the file holds neither a ModelDeployment nor a ModelPool.']);
});

const FLAGS = {
  ...DEFAULT_EDGE_LIMITS,
  ...DEFAULT_SURFACE_FLAGS,
  idleTimeout: milliseconds(0),
  modelsAutoload: true,
  host: 'h',
  port: 1,
  logLevel: 'info',
  shutdownDelay: milliseconds(0),
} as const;

/** What the command prints, and whether it is content. */
async function run(...filename: readonly string[]): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const ok = await runCheck({ ...FLAGS, filename }, [], { stdout, stderr });
  stdout.end();
  stderr.end();
  return { ok, stdout: await text(stdout), stderr: await text(stderr) };
}

test('the verdict goes to stdout, and what is wrong to stderr', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'corral-check-'));
  t.after(async () => rm(folder, { recursive: true }));
  const [good, bad] = ['good.yaml', 'bad.yaml'].map((name) => join(folder, name));
  assert.ok(good !== undefined && bad !== undefined);
  await writeFile(good, deployment('source: { path: /a }, resources: { claims: [] }'));
  await writeFile(bad, deployment('source: {}'));
  const valid = await run(good);
  assert.deepEqual([valid.ok, valid.stderr], [true, '']);
  assert.match(valid.stdout, /good\.yaml: ModelDeployment chat: valid\nnote: .*resources\.claims: no effect/u);
  const refused = await run(good, bad, join(folder, 'none.yaml'));
  assert.equal(refused.ok, false);
  assert.match(refused.stdout, /good\.yaml: ModelDeployment chat: valid/u);
  assert.match(refused.stderr, /^corral serve: .*none\.yaml: there is no such file/mu);
  assert.match(refused.stderr, /^corral serve: .*bad\.yaml:4:38: spec\.presets\[0\]\.source: must have exactly one/mu);
});

test('without a file there is nothing to check', async () => {
  assert.deepEqual(await run(), {
    ok: false,
    stdout: '',
    stderr: 'corral serve: --check reads manifests. Name them with -f.\n',
  });
});
