import Type from 'typebox';
import { annotations, dnsName, labels } from './common-schemas.ts';
import { POD_KEY_RULES } from './manifest-rules.ts';
import { OPEN, flag, foreign, list, mapBy, object, oneOf, text } from './schema-kit.ts';

const CHECKED = 'Its other fields are those of Kubernetes, checked by the API server once the pod is rendered.';

const named = (what: string): Type.TObject<{ name: Type.TString }> =>
  object(`${what} ${CHECKED}`, { name: text('a name', 'Its name, unique in the pod.', { maxLength: 253 }) }, OPEN);

const Toleration = object('A taint that the pod tolerates.', {
  key: Type.Optional(text('the key of a taint', 'Missing: any key.', { maxLength: 317 })),
  operator: Type.Optional(oneOf('Default: Equal.', ['Exists', 'Equal'])),
  value: Type.Optional(Type.String({ maxLength: 63, title: 'a text', description: 'For Equal.' })),
  effect: Type.Optional(oneOf('Missing: all.', ['NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
  tolerationSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      title: 'a whole number of seconds',
      description: 'For NoExecute: how long.',
    }),
  ),
});

const VolumeMount = object('A volume in the file system of the llama-server.', {
  name: text('the name of a volume', 'The volume.', { maxLength: 63 }),
  mountPath: text('a path in the container', 'Where it is seen.', { maxLength: 4096 }),
  subPath: Type.Optional(text('a path in the volume', 'Which part of it. Default: its root.', { maxLength: 4096 })),
  subPathExpr: Type.Optional(
    text('a path in the volume', 'The same, with $(VARIABLES) expanded.', { maxLength: 4096 }),
  ),
  readOnly: Type.Optional(flag('Whether it cannot be written.')),
  recursiveReadOnly: Type.Optional(
    oneOf('Whether what is mounted below cannot be written either.', ['Disabled', 'IfPossible', 'Enabled']),
  ),
  mountPropagation: Type.Optional(oneOf('How mounts are passed on.', ['None', 'HostToContainer', 'Bidirectional'])),
});

const whole = (
  what: string,
): Type.TObject<{
  name: Type.TString;
  optional: Type.TOptional<Type.TBoolean>;
}> =>
  object(`A ${what} of the same namespace.`, {
    name: dnsName(`the name of a ${what}`, `The ${what}.`),
    optional: Type.Optional(flag('Whether it may be missing.')),
  });

const EnvFrom = object('Variables from all keys of a Secret or a ConfigMap.', {
  prefix: Type.Optional(Type.String({ maxLength: 253, title: 'a text', description: 'Put before each name.' })),
  secretRef: Type.Optional(whole('Secret')),
  configMapRef: Type.Optional(whole('ConfigMap')),
});

const ResourceClaim = object('A claim on devices for the pod (dynamic resource allocation).', {
  name: text('a DNS label', 'What resources.claims call it.', { maxLength: 63 }),
  resourceClaimName: Type.Optional(dnsName('the name of a ResourceClaim', 'An existing ResourceClaim.')),
  resourceClaimTemplateName: Type.Optional(
    dnsName('the name of a ResourceClaimTemplate', 'From which a claim is made for each pod.'),
  ),
});

/** What may be put into the pods of a llama-server. */
export const PodSchema = object(
  'Parts of the pod, merged over what Corral renders: maps by key, lists are appended. Matters in a cluster only.',
  {
    labels: Type.Optional(labels('More labels of the pod.', { rules: POD_KEY_RULES })),
    annotations: Type.Optional(annotations('More annotations of the pod.', { rules: POD_KEY_RULES })),
    nodeSelector: Type.Optional(labels('Labels that the node must have.')),
    tolerations: Type.Optional(list('Taints that the pod tolerates.', Toleration, 32)),
    affinity: Type.Optional(foreign(`Which nodes, and near which pods. ${CHECKED}`)),
    topologySpreadConstraints: Type.Optional(
      list('How pods spread over nodes.', foreign(`One constraint. ${CHECKED}`), 16),
    ),
    runtimeClassName: Type.Optional(dnsName('the name of a RuntimeClass', 'Which container runtime runs the pod.')),
    priorityClassName: Type.Optional(dnsName('the name of a PriorityClass', "The pod's priority for the scheduler.")),
    schedulerName: Type.Optional(dnsName('the name of a scheduler', "Who places the pod. Default: the cluster's.")),
    imagePullSecrets: Type.Optional(
      list(
        'Secrets with which images are pulled.',
        object('A Secret of the same namespace.', { name: dnsName('the name of a Secret', 'The Secret.') }),
        16,
        mapBy('name'),
      ),
    ),
    securityContext: Type.Optional(foreign(`The security context of the pod. ${CHECKED}`)),
    volumes: Type.Optional(list('More volumes.', named('A volume.'), 32, mapBy('name'))),
    volumeMounts: Type.Optional(
      list("Volumes in the llama-server's file system.", VolumeMount, 32, mapBy('mountPath')),
    ),
    envFrom: Type.Optional(list('More variables of the llama-server; its own env wins.', EnvFrom, 16)),
    initContainers: Type.Optional(
      list('Containers that run to their end before the llama-server starts.', named('A container.'), 8, mapBy('name')),
    ),
    sidecars: Type.Optional(
      list('Containers that run beside the llama-server.', named('A container.'), 8, mapBy('name')),
    ),
    resourceClaims: Type.Optional(list('Claims on devices.', ResourceClaim, 16, mapBy('name'))),
  },
);
