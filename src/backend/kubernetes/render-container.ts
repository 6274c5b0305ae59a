import type { JsonObject } from '../../domain/json.ts';
import { LLAMA_PORT, LLAMA_SERVER } from '../../api/cluster/pod-marks.ts';
import type { EnvItem, ModelFile, ModelSource, PodSettings } from '../../api/cluster/pod-settings.ts';
import { renderArgs as renderArgItems } from '../../api/llama-options.ts';
import { fileItems, type NamedFile, repositoryName, valueItem } from '../../api/model-files.ts';
import { HTTP_THREADS } from '../http-threads.ts';
import { OWN_VOLUMES } from './find-pod-fault.ts';
import { guardScript } from './guard-script.ts';
import { renderFetches } from './render-fetches.ts';
import { CACHE_FOLDER, pathIn, placeSources } from './place-sources.ts';

const TEMPORARY_VOLUME = `${OWN_VOLUMES}tmp`;

/** What the pod security standard "restricted" asks of each container. */
export const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } as const;
const SECURITY = { ...RESTRICTED, readOnlyRootFilesystem: true };

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
    volumeMounts: renderMounts(settings),
    readinessProbe: {
      httpGet: { path: `${prefix}/health`, port: LLAMA_PORT },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    lifecycle: { preStop: { exec: { command: ['sh', '-c', guardScript(prefix)] } } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: SECURITY,
  };
}

/** The init containers that download what the model is made of. */
export const renderDownloads = (settings: PodSettings): JsonObject[] =>
  renderFetches(settings, {
    env: renderEnv(settings),
    volumeMounts: renderMounts(settings),
    securityContext: SECURITY,
    literally,
  });

/** The volumes that `renderContainer` mounts. */
export const ownVolumes = (settings: PodSettings): JsonObject[] => [
  { name: TEMPORARY_VOLUME, emptyDir: {} },
  ...placeSources(settings).map(({ volume }) => volume),
];

const renderMounts = (settings: PodSettings): JsonObject[] => [
  { name: TEMPORARY_VOLUME, mountPath: '/tmp' },
  ...placeSources(settings).map(({ mount }) => mount),
  ...(settings.pod.volumeMounts ?? []),
];

/** The user's first, so that Corral's win. */
function renderArgs(settings: PodSettings, prefix: string): string[] {
  const { args, model } = settings;
  const threads = args.includes('--threads-http') ? [] : ['--threads-http', HTTP_THREADS];
  const own = ['--port', String(LLAMA_PORT), '--api-prefix', prefix];
  const literal = [...sourceArgs(settings), ...args, ...threads, '--alias', model].map(literally);
  return [...literal, '--host', '$(POD_IP)', ...own];
}

function sourceArgs(settings: PodSettings): string[] {
  const { source, files } = settings;
  const model =
    source.kind === 'huggingFace'
      ? valueItem('--hf-repo', repositoryName(source))
      : valueItem('--model', pathIn(settings, source));
  return renderArgItems([model, ...fileItems(files.flatMap((file) => nameFile(settings, file)))]);
}

/** The manifest's rules leave a repository to draft models. */
function nameFile(settings: PodSettings, { arg, source }: ModelFile): NamedFile[] {
  if (source.kind !== 'huggingFace') return [{ arg, path: pathIn(settings, source) }];
  return arg === 'model-draft' ? [{ arg, repository: repositoryName(source) }] : [];
}

/** A user's own LLAMA_CACHE, for instance on a volume that outlives the pod, is used instead of the pod's. */
function renderEnv({ env, source, files }: PodSettings): JsonObject[] {
  const address = { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
  const isDownloaded = [source, ...files.map((file) => file.source)].some(
    ({ kind }) => kind === 'huggingFace' || kind === 'url',
  );
  const hasCache = env.some(({ name }) => name === 'LLAMA_CACHE');
  return [
    address,
    ...(isDownloaded && !hasCache ? [{ name: 'LLAMA_CACHE', value: CACHE_FOLDER }] : []),
    ...(source.kind === 'huggingFace' ? tokenEnv(source) : []),
    ...env.map(literalItem),
  ];
}

function tokenEnv({ tokenSecretRef }: ModelSource & { kind: 'huggingFace' }): JsonObject[] {
  return tokenSecretRef === undefined ? [] : [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: { ...tokenSecretRef } } }];
}

const literalItem = (item: EnvItem): JsonObject =>
  typeof item['value'] === 'string' ? { ...item, value: literally(item['value']) } : item;

function renderResources({ resources, pod }: PodSettings): JsonObject {
  const claims = (pod.resourceClaims ?? []).flatMap(({ name }) => (name === undefined ? [] : [{ name }]));
  return claims.length === 0 ? { ...resources } : { claims, ...resources };
}
