import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ApiObject } from '../api-client.ts';

const Named = Type.Object({ name: Type.String() });
const KeyRef = Type.Object({ name: Type.String(), key: Type.String() });
const KeysToPaths = Type.Optional(Type.Array(Type.Object({ key: Type.String(), path: Type.String() })));

const EnvSchema = Type.Object({
  name: Type.String(),
  value: Type.Optional(Type.String()),
  valueFrom: Type.Optional(
    Type.Object({
      fieldRef: Type.Optional(Type.Object({ fieldPath: Type.String() })),
      secretKeyRef: Type.Optional(KeyRef),
      configMapKeyRef: Type.Optional(KeyRef),
    }),
  ),
});

const VolumeSchema = Type.Object({
  name: Type.String(),
  hostPath: Type.Optional(Type.Object({ path: Type.String() })),
  emptyDir: Type.Optional(Type.Object({})),
  persistentVolumeClaim: Type.Optional(Type.Object({ claimName: Type.String() })),
  secret: Type.Optional(
    Type.Object({ secretName: Type.String(), items: KeysToPaths, optional: Type.Optional(Type.Boolean()) }),
  ),
  configMap: Type.Optional(Type.Object({ name: Type.String(), items: KeysToPaths })),
  projected: Type.Optional(Type.Object({})),
});

const ContainerSchema = Type.Object({
  name: Type.String(),
  image: Type.String(),
  command: Type.Optional(Type.Array(Type.String())),
  args: Type.Optional(Type.Array(Type.String())),
  env: Type.Optional(Type.Array(EnvSchema)),
  ports: Type.Optional(Type.Array(Type.Object({ name: Type.Optional(Type.String()), containerPort: Type.Integer() }))),
  volumeMounts: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), mountPath: Type.String(), subPath: Type.Optional(Type.String()) })),
  ),
  readinessProbe: Type.Optional(
    Type.Object({
      httpGet: Type.Optional(
        Type.Object({ path: Type.Optional(Type.String()), port: Type.Union([Type.Integer(), Type.String()]) }),
      ),
      periodSeconds: Type.Optional(Type.Integer()),
      timeoutSeconds: Type.Optional(Type.Integer()),
    }),
  ),
  lifecycle: Type.Optional(
    Type.Object({
      preStop: Type.Optional(
        Type.Object({
          exec: Type.Optional(Type.Object({ command: Type.Array(Type.String()) })),
          sleep: Type.Optional(Type.Object({ seconds: Type.Integer() })),
        }),
      ),
    }),
  ),
});

const PodSchema = Type.Object({
  metadata: Type.Object({
    name: Type.String(),
    namespace: Type.String(),
    uid: Type.String(),
    deletionTimestamp: Type.Optional(Type.String()),
    deletionGracePeriodSeconds: Type.Optional(Type.Integer()),
  }),
  spec: Type.Object({
    containers: Type.Array(ContainerSchema),
    initContainers: Type.Optional(Type.Array(Named)),
    volumes: Type.Optional(Type.Array(VolumeSchema)),
    restartPolicy: Type.Optional(Type.String()),
    serviceAccountName: Type.Optional(Type.String()),
    nodeName: Type.Optional(Type.String()),
  }),
});

/** What the stand-in reads of a pod. */
export type StandInPod = Type.Static<typeof PodSchema>;
export type StandInContainer = Type.Static<typeof ContainerSchema>;
export type StandInVolume = Type.Static<typeof VolumeSchema>;
export type StandInEnv = Type.Static<typeof EnvSchema>;

/** Throws for a pod that uses something in a way that the stand-in does not know. */
export function decodePod(object: ApiObject): StandInPod {
  if (Value.Check(PodSchema, object)) return object;
  throw new Error(`the stand-in cannot read the pod ${object.metadata.name}`);
}
