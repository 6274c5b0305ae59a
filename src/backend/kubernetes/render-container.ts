import type { JsonObject } from '../../domain/json.ts';
import { LLAMA_PORT, LLAMA_SERVER } from '../../api/cluster/pod-marks.ts';
import type { EnvItem, ModelSource, PodSettings } from '../../api/cluster/pod-settings.ts';
import { HTTP_THREADS } from '../http-threads.ts';
import { OWN_FOLDER, OWN_VOLUMES } from './find-pod-fault.ts';
import { guardScript } from './guard-script.ts';

const MODEL_FOLDER = `${OWN_FOLDER}/model`;
const CACHE_FOLDER = `${OWN_FOLDER}/cache`;
const MODEL_VOLUME = `${OWN_VOLUMES}model`;
const CACHE_VOLUME = `${OWN_VOLUMES}cache`;
const TEMPORARY_VOLUME = `${OWN_VOLUMES}tmp`;

/** What the pod security standard "restricted" asks of each container. */
export const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } as const;

/**
 * Keeps the kubelet from expanding `$(NAME)`: in `args` and in `value` it takes `$$` for a plain `$` (Kubernetes,
 * "Define dependent environment variables").
 */
const literally = (text: string): string => text.replaceAll('$', '$$$$');

/** The container that runs the model; its image's own entry point is llama-server. */
export function renderContainer(settings: PodSettings, prefix: string): JsonObject {
  return {
    name: LLAMA_SERVER,
    image: settings.image,
    args: renderArgs(settings, prefix),
    env: renderEnv(settings),
    ...(settings.pod.envFrom === undefined ? {} : { envFrom: settings.pod.envFrom }),
    ports: [{ name: 'http', containerPort: LLAMA_PORT }],
    resources: renderResources(settings),
    volumeMounts: [...ownMounts(settings.source), ...(settings.pod.volumeMounts ?? [])],
    readinessProbe: {
      httpGet: { path: `${prefix}/health`, port: LLAMA_PORT },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    lifecycle: { preStop: { exec: { command: ['sh', '-c', guardScript(prefix)] } } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { ...RESTRICTED, readOnlyRootFilesystem: true },
  };
}

/** The volumes that `renderContainer` mounts. */
export function ownVolumes(source: ModelSource): JsonObject[] {
  const temporary = { name: TEMPORARY_VOLUME, emptyDir: {} };
  switch (source.kind) {
    case 'path':
      return [temporary];
    case 'persistentVolumeClaim':
      return [
        temporary,
        { name: MODEL_VOLUME, persistentVolumeClaim: { claimName: source.claimName, readOnly: true } },
      ];
    case 'huggingFace':
      return [temporary, { name: CACHE_VOLUME, emptyDir: {} }];
  }
}

function ownMounts({ kind }: ModelSource): JsonObject[] {
  const temporary = { name: TEMPORARY_VOLUME, mountPath: '/tmp' };
  switch (kind) {
    case 'path':
      return [temporary];
    case 'persistentVolumeClaim':
      return [temporary, { name: MODEL_VOLUME, mountPath: MODEL_FOLDER, readOnly: true }];
    case 'huggingFace':
      return [temporary, { name: CACHE_VOLUME, mountPath: CACHE_FOLDER }];
  }
}

/** The user's first, so that Corral's win. */
function renderArgs({ args, source, model }: PodSettings, prefix: string): string[] {
  const threads = args.includes('--threads-http') ? [] : ['--threads-http', HTTP_THREADS];
  const own = ['--port', String(LLAMA_PORT), '--api-prefix', prefix];
  const literal = [...sourceArgs(source), ...args, ...threads, '--alias', model].map(literally);
  return [...literal, '--host', '$(POD_IP)', ...own];
}

function sourceArgs(source: ModelSource): string[] {
  switch (source.kind) {
    case 'path':
      return ['--model', source.path];
    case 'persistentVolumeClaim':
      return ['--model', `${MODEL_FOLDER}/${source.path}`];
    case 'huggingFace':
      return ['--hf-repo', source.quant === undefined ? source.repo : `${source.repo}:${source.quant}`];
  }
}

function renderEnv({ env, source }: PodSettings): JsonObject[] {
  const address = { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
  const hasCache = env.some(({ name }) => name === 'LLAMA_CACHE');
  return [address, ...(source.kind === 'huggingFace' ? downloadEnv(source, hasCache) : []), ...env.map(literalItem)];
}

/** A user's own LLAMA_CACHE, for instance on a volume that outlives the pod, is used instead of the pod's. */
function downloadEnv({ tokenSecretRef }: ModelSource & { kind: 'huggingFace' }, hasCache: boolean): JsonObject[] {
  const token = { name: 'HF_TOKEN', valueFrom: { secretKeyRef: { ...tokenSecretRef } } };
  return [
    ...(hasCache ? [] : [{ name: 'LLAMA_CACHE', value: CACHE_FOLDER }]),
    ...(tokenSecretRef === undefined ? [] : [token]),
  ];
}

const literalItem = (item: EnvItem): JsonObject =>
  typeof item['value'] === 'string' ? { ...item, value: literally(item['value']) } : item;

function renderResources({ resources, pod }: PodSettings): JsonObject {
  const claims = (pod.resourceClaims ?? []).flatMap(({ name }) => (name === undefined ? [] : [{ name }]));
  return claims.length === 0 ? { ...resources } : { claims, ...resources };
}
