import { randomBytes } from 'node:crypto';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiClient } from './api-client.ts';
import type { RunningEdge } from './corral-in-cluster.ts';
import { SYSTEM } from './corral-names.ts';
import { addressOf } from './field-at.ts';
import { isReady } from './test-cluster.ts';

const PODS = `/api/v1/namespaces/${SYSTEM}/pods`;

const DeploymentSchema = Type.Object({
  spec: Type.Object({
    template: Type.Object({
      spec: Type.Object({
        volumes: Type.Tuple([Type.Object({ secret: Type.Object({ secretName: Type.Literal('corral-keys') }) })]),
        containers: Type.Tuple([Type.Object({ args: Type.Array(Type.String()), livenessProbe: Type.Object({}) })]),
      }),
    }),
  }),
});
export interface EdgePodOptions {
  /** Beside those of the Deployment. */
  readonly args?: readonly string[];
  /** In the place of the one that its volume has. */
  readonly secretName?: string;
  /** The kubelet does not end it when it hangs, which takes 20 s or more otherwise. */
  readonly mayHang?: boolean;
}

/** Never, as far as a test is concerned. */
const PATIENT = { failureThreshold: 1000 };

/** The pod of an edge as its Deployment would make it, beside it: other tests use that one. Resolves when it is ready. */
export async function startEdgePod(
  t: Cleanup,
  api: ApiClient,
  { args = [], secretName, mayHang = false }: EdgePodOptions = {},
): Promise<RunningEdge> {
  const name = `edge-beside-${randomBytes(4).toString('hex')}`;
  const deployment = await api.call('GET', `/apis/apps/v1/namespaces/${SYSTEM}/deployments/corral-edge`);
  if (!Value.Check(DeploymentSchema, deployment)) throw new Error('the Deployment of the edge is another one by now');
  const { spec } = deployment.spec.template;
  const [container] = spec.containers;
  const [{ secret, ...volume }] = spec.volumes;
  const volumes = [{ ...volume, secret: { ...secret, secretName: secretName ?? secret.secretName } }];
  const livenessProbe = { ...container.livenessProbe, ...(mayHang ? PATIENT : {}) };
  const containers = [{ ...container, args: [...container.args, ...args], livenessProbe }];
  await api.call('POST', PODS, { metadata: { name }, spec: { ...spec, containers, volumes } });
  t.after(async () => {
    await api.call('DELETE', `${PODS}/${name}`);
    await api.until(PODS, name, (pod) => pod === undefined);
  });
  const pod = await api.until(PODS, name, (one) => one !== undefined && isReady(one));
  if (pod === undefined) throw new Error(`${name} is gone`);
  return { pod, url: `http://${addressOf(pod)}:8080` };
}
