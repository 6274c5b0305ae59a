import type { TestContext } from 'node:test';
import { POD_SELECTOR } from '../api/cluster/pod-marks.ts';
import { KubernetesBackend } from '../backend/kubernetes/kubernetes-backend.ts';
import type { PodTemplate } from '../backend/kubernetes/render-pod-template.ts';
import type { PodOwner } from '../api/cluster/pod-settings.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import type { PresetUid } from '../domain/ids.ts';
import { seconds } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { FakeKubelet } from './fake-kubelet.ts';
import { keptLog, PODS, startKube, unseen } from './kube-testbed.ts';
import { EagerTimers } from './manual-timers.ts';

export interface PodBed {
  readonly server: FakeApiServer;
  readonly api: KubeApi;
  readonly backend: KubernetesBackend;
  readonly kubelet: FakeKubelet;
  readonly log: { readonly lines: readonly string[] };
}

export interface PodBedOptions {
  readonly templates: ReadonlyMap<PresetUid, PodTemplate>;
  /** Of the backend, for what may take how long; eager ones unless given. */
  readonly timers?: Timers;
  /** Of the lanes, for their pauses; eager ones unless given. */
  readonly laneTimers?: Timers;
  /** Whether a ModelDeployment is there; it is unless given. */
  readonly isThere?: (owner: PodOwner) => Promise<boolean>;
  /** Whether the failure of a pod is written down; it is unless given. */
  readonly isToldOf?: (pod: PodView) => boolean;
  /** Whether it may put anything back; it may unless given. */
  readonly isLeading?: () => boolean;
  /** Edges that have not spoken; none unless given. */
  readonly unheard?: () => readonly string[];
}

/** A backend that follows the pods of a fake API server. All of it ends with the test. */
export async function startPodBed(t: TestContext, options: PodBedOptions): Promise<PodBed> {
  const { server, api } = await startKube(t);
  const { backend, log } = await startBackend(t, api, options);
  const kubelet = new FakeKubelet(server);
  kubelet.run();
  t.after(() => {
    kubelet.stop();
  });
  return { server, api, backend, kubelet, log };
}

/** A backend on a cluster that others may work on too. */
export async function startBackend(
  t: TestContext,
  api: KubeApi,
  {
    templates,
    timers,
    laneTimers,
    isThere = async () => Promise.resolve(true),
    isToldOf = () => true,
    isLeading = () => true,
    unheard = () => [],
  }: PodBedOptions,
): Promise<{ backend: KubernetesBackend; log: { readonly lines: readonly string[] } }> {
  const log = keptLog();
  const eager = new EagerTimers(seconds(60));
  const pods = new Reflector({
    api,
    resource: PODS,
    scope: { labelSelector: POD_SELECTOR },
    log,
    timers: eager,
    onChange: () => {
      backend.podsChanged();
    },
  });
  const lanes = new WriteLanes({ log, timers: laneTimers ?? eager });
  const { now, wakeIn } = timers ?? eager;
  const unschedulableAfter = (): ReturnType<typeof seconds> => seconds(5);
  const backend = new KubernetesBackend({
    isLetGo: () => false,
    isLeading,
    unheard,
    lookAt: unseen,
    onPresumed: (replica, edges) => {
      log.warn('presumed', { replica, edges });
    },
    ...{ api, pods, lanes, isThere, isToldOf, unschedulableAfter, now, wakeIn, log },
    templates: (uid) => templates.get(uid),
    lastLoad: () => undefined,
  });
  await pods.start();
  t.after(async () => {
    backend.close();
    await Promise.all([lanes.close(), pods.stop()]);
  });
  return { backend, log };
}
