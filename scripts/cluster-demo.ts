import { join, resolve } from 'node:path';
import { makeDemoModels } from '../src/backend/local/demo-models.ts';
import type { OwnCluster } from '../test/cluster/support/start-cluster.ts';

const root = resolve(import.meta.dirname, '..');

const POOL = 'demo';
const NAMESPACE = 'demo';
const MODELS = ['demo-a', 'demo-b'];

/** Installs Corral as a user does, and declares two tiny models that answer nonsense, with room for one of them. */
export async function installDemo({ cluster }: OwnCluster): Promise<void> {
  await cluster.image('corral');
  const image = await cluster.image('llama-server');
  await cluster.deployCrds();
  await cluster.deploy(join(root, 'deploy/namespace.yaml'), join(root, 'deploy'));
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  const objects = [demoPool(image, await makeDemoModels(process.env)), demoModels()];
  await cluster.kubectl(['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const available = ['wait', '--for=condition=Available', 'deployment', '--all', '--timeout=90s'];
  await cluster.kubectl(['--namespace=corral-system', ...available]);
  await cluster.kubectl([
    `--namespace=${NAMESPACE}`,
    'wait',
    '--for=condition=Ready',
    'modeldeployments.corral.dev/chat',
    '--timeout=90s',
  ]);
}

const demoPool = (image: string, folder: string): object => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelPool',
  metadata: { name: POOL },
  spec: {
    capacity: { maxLoaded: 1 },
    defaults: {
      engine: { image },
      args: ['--threads=1'],
      scaling: { idleTimeout: '1m' },
      pod: {
        volumes: [{ name: 'models', hostPath: { path: folder } }],
        volumeMounts: [{ name: 'models', mountPath: '/models', readOnly: true }],
      },
    },
  },
});

const demoModels = (): object => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'chat', namespace: NAMESPACE },
  spec: { pool: POOL, presets: MODELS.map((name) => ({ name, source: { path: `/models/${name}.gguf` } })) },
});

/** Where requests go: the Service, or the edge's own address where nothing makes Services work. */
export async function edgeUrl({ cluster }: OwnCluster): Promise<string> {
  const what =
    cluster.node.kind === 'kubelet'
      ? ['service', 'corral-edge', '--output=jsonpath={.spec.clusterIP}']
      : ['pods', '--selector=app.kubernetes.io/name=corral-edge', '--output=jsonpath={.items[0].status.podIP}:8080'];
  return `http://${await cluster.kubectl(['--namespace=corral-system', 'get', ...what])}`;
}

/** What somebody who wants to try is told. */
export function renderHowToTry({ record }: OwnCluster, url: string, shell: { readonly path: string }): string {
  const [first = '', second = ''] = MODELS;
  const ask = (model: string): string =>
    `  curl ${url}/v1/chat/completions -d '{"model": "${model}", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}'\n`;
  return `
In another terminal:

  export KUBECONFIG=${record.kubeconfig} PATH=${shell.path}:$PATH

A request loads its model; with room for one, ${second} evicts ${first}; without requests both are gone after a minute:

${ask(first)}${ask(second)}  kubectl --namespace ${NAMESPACE} get modeldeployments.corral.dev,pods --watch

Ctrl-C here ends it all.
`;
}
