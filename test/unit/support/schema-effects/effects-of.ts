import { NOTHING_GRANTED } from '../../../../src/api/cluster/grant-names.ts';
import { acceptAll, type Acceptance, catalogOf } from '../../../../src/api/cluster/accept.ts';
import { decodeDeployment, decodePool, type ClusterObject } from '../../../../src/api/cluster/decode-objects.ts';
import { createJudge } from '../../../../src/api/cluster/judge-deployment.ts';
import { viewPod } from '../../../../src/api/cluster/pod-view.ts';
import { renderPoolStatus } from '../../../../src/api/cluster/render-pool-status.ts';
import { renderStatus } from '../../../../src/api/cluster/render-status.ts';
import { routedPresets } from '../../../../src/api/cluster/routed-presets.ts';
import { deadlineOf } from '../../../../src/backend/kubernetes/observe-pod.ts';
import { noteLook } from '../../../../src/backend/kubernetes/pod-history.ts';
import {
  renderPod,
  renderPodTemplate,
  type PodTemplate,
  type RenderedPod,
} from '../../../../src/backend/kubernetes/render-pod-template.ts';
import { poolName, type PresetUid } from '../../../../src/domain/ids.ts';
import { WHOLE_POOL } from '../../../../src/domain/pool.ts';
import type { Catalog, Preset } from '../../../../src/domain/preset.ts';
import { instant } from '../../../../src/domain/units.ts';
import { situationsOf } from '../../../../src/operator/situations.ts';
import { StartupLoads } from '../../../../src/operator/startup-loads.ts';
import { unschedulableAfter } from '../../../../src/operator/unschedulable-after.ts';
import { plan } from '../../../../src/planner/plan.ts';
import type { Plan } from '../../../../src/planner/plan-input.ts';
import { runningStatus } from '../../../../src/testing/fake-kubelet.ts';
import { aReplica, planInput, readySince, type World } from '../../../../src/testing/worlds.ts';

/** What declarations come to, by what it is for. */
export interface Effects {
  /** What is sent to the API server. */
  readonly pod: unknown;
  /** What an edge looks at, without what only others go by. */
  readonly routes: unknown;
  /** What the planner does about it, in a few worlds. */
  readonly plan: unknown;
  /** What is loaded without anybody asking. */
  readonly orders: unknown;
  /** When a pod that gets no further has failed. */
  readonly deadlines: unknown;
  readonly status: unknown;
}
export type Effect = keyof Effects;

/** The objects whose effects are asked for. */
export interface Declared {
  readonly deployment: ClusterObject;
  readonly pools: readonly ClusterObject[];
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

type Accepted = Acceptance<PodTemplate>;
const NOW = 100_000;
const MOMENT = { now: instant(NOW), wall: Date.parse('2026-01-01T00:00:00Z') };

/** All that comes of a ModelDeployment and its pool, up to where the cluster begins. */
export function effectsOf({ deployment, pools, namespaces }: Declared): Effects {
  const acceptance = acceptAll({
    deployments: [decodeDeployment(deployment)],
    pools: pools.map(decodePool),
    namespaces,
    before: NOTHING_GRANTED,
    judge: createJudge(renderPodTemplate),
  });
  const status = statusesOf(acceptance);
  return {
    pod: podsOf(acceptance),
    routes: routesOf({ ...deployment, status: status.deployments[0] }, pools),
    plan: plansOf(catalogOf(acceptance)),
    orders: new StartupLoads().due(acceptance),
    deadlines: deadlinesOf(acceptance),
    status,
  };
}

function podsOf({ verdicts }: Accepted): RenderedPod[] {
  return verdicts.flatMap(({ presets }) =>
    presets.flatMap(({ outcome }) => {
      if (outcome.kind === 'refused') return [];
      const { footprint } = outcome.preset;
      return [renderPod(outcome.template, { slot: 0, prefix: '/secret', bin: WHOLE_POOL, footprint })];
    }),
  );
}

function statusesOf(acceptance: Accepted): {
  readonly deployments: readonly object[];
  readonly pools: readonly object[];
} {
  const { deployments, pools, names } = situationsOf({
    ...{ acceptance, views: [], replicas: [], edges: 1 },
    activity: { activity: () => ({ kind: 'unknown' }) },
    lastUse: () => undefined,
    schedulerWords: () => undefined,
    failures: new Map(),
    hasPod: () => false,
  });
  return {
    deployments: deployments.map((one) => renderStatus(one, MOMENT, (uid) => names.get(uid))),
    pools: pools.map((pool) => renderPoolStatus(pool, MOMENT, true)),
  };
}

/** How a preset is scaled is for others. */
function routesOf(deployment: ClusterObject, pools: readonly ClusterObject[]): unknown {
  const routes = routedPresets([decodeDeployment(deployment)], pools.map(decodePool), {
    now: MOMENT.now,
    seenAt: () => MOMENT,
  });
  return routes.map(({ preset: { model, aliases, tags, queue, variants }, standing }) => ({
    ...{ model, aliases, tags, queue, variants, standing },
  }));
}

/** The first preset is asked for beside two others of its kind, in each of these worlds. */
function plansOf(catalog: Catalog): unknown {
  const [subject, rival, third] = catalog.presets;
  if (subject === undefined || rival === undefined || third === undefined) return [];
  const times = (...entries: readonly (readonly [Preset, number])[]): ReadonlyMap<PresetUid, number> =>
    new Map(entries.map(([{ uid }, at]) => [uid, at]));
  const worlds: readonly Omit<World, 'now' | 'presets'>[] = [
    {},
    { waitingSince: times([subject, NOW]) },
    { replicas: [aReplica(subject, readySince(0))], idleSince: times([subject, 50_000]) },
    {
      replicas: [aReplica(subject, readySince(0))],
      busy: times([subject, 6]),
      peaks: new Map([[subject.uid, { inFlight: 6, since: instant(0) }]]),
    },
    {
      replicas: [aReplica(rival, readySince(85_000))],
      idleSince: times([rival, 90_000]),
      waitingSince: times([subject, 95_000]),
    },
    { replicas: [aReplica(rival, readySince(0))], busy: times([rival, 1]), waitingSince: times([subject, 50_000]) },
    {
      replicas: [aReplica(subject, readySince(0)), aReplica(rival, readySince(0))],
      idleSince: times([subject, 50_000], [rival, 40_000]),
      waitingSince: times([third, 95_000]),
    },
  ];
  return worlds.map((world) => toldOf(plan(planInput({ ...world, ...catalog, now: NOW }))));
}

/** An order and a reason name a preset with all that is declared of it: here only who it is. */
const toldOf = ({ actions, blocked, wakeAt }: Plan): unknown => ({
  actions: actions.map((action) => (action.kind === 'start' ? { ...action, preset: action.preset.uid } : action)),
  blocked: blocked.map(({ preset, reason, position }) => ({ preset, reason: reason.kind, position })),
  wakeAt,
});

const STAGES = [
  { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '' }] },
  { phase: 'Pending' },
  runningStatus(false),
];

/** Of a pod that finds no node, of one that has a node, and of one that runs and is not ready. */
function deadlinesOf(acceptance: Accepted): unknown {
  return podsOf(acceptance).map((rendered, index) => {
    const templates = acceptance.verdicts.flatMap(({ presets }) =>
      presets.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.template] : [])),
    );
    const settings = templates[index]?.settings;
    if (settings === undefined) throw new Error('a pod without a template');
    const limits = {
      ...settings,
      unschedulableAfter: unschedulableAfter(poolName(settings.pool), acceptance.pools),
    };
    return STAGES.map((status) => {
      const made = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
      const pod = viewPod({ ...rendered, metadata: { ...rendered.metadata, ...made }, status });
      if (pod === undefined) throw new Error('a pod that is none of ours');
      return deadlineOf(pod, noteLook(undefined, pod, instant(NOW)), limits);
    });
  });
}
