import { once } from 'node:events';
import { createServer } from 'node:net';
import { portOf } from '../../../src/testing/http-kit.ts';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** What becomes of each write to one of the objects, and of each pod for it. */
export const POISONS = ['none', 'refused', 'never answered'] as const;
export type Poison = (typeof POISONS)[number];

const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const NAME = 'poison';
/** Nothing listens there. */
const CLOSED_PORT = 1;

/**
 * Makes the API server ask a webhook before it writes anything of a ModelDeployment: one that is not there, so that the write fails,
 * or one that takes the question and says nothing for longer than the operator waits. What it returns takes that away again.
 */
export async function poison(
  t: Cleanup,
  { api }: TestCluster,
  { kind, name }: { readonly kind: Poison; readonly name: string },
): Promise<() => Promise<void>> {
  if (kind === 'none') return async () => Promise.resolve();
  const port = kind === 'refused' ? CLOSED_PORT : await muteServer(t);
  await api.call('POST', HOOKS, hooksOf(name, port));
  return async () => {
    await api.call('DELETE', `${HOOKS}/${NAME}`);
  };
}

async function muteServer(t: Cleanup): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    return Promise.resolve();
  });
  return portOf(server);
}

function hooksOf(name: string, port: number): object {
  const hook = { apiVersions: ['*'], scope: '*' };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: 'poison.example.com',
        clientConfig: { url: `https://127.0.0.1:${port}/` },
        rules: [
          { ...hook, apiGroups: ['corral.dev'], operations: ['UPDATE'], resources: ['modeldeployments/status'] },
          { ...hook, apiGroups: [''], operations: ['CREATE'], resources: ['pods'] },
        ],
        matchConditions: [{ name: 'poisoned', expression: isOf(name) }],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 30,
      },
    ],
  };
}

/** A ModelDeployment of this name, or a pod for it. */
const isOf = (name: string): string =>
  `request.resource.resource == 'modeldeployments' ? request.name == '${name}' : ` +
  `object.metadata.?labels[?'corral.dev/deployment'].orValue('') == '${name}'`;
