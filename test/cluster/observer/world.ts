import type { DeploymentFacts, Heard, History, PodFacts, PoolFacts, ReportFacts, Seen } from './history.ts';

/** An object as it was at some moment. */
export type As<T> = Heard & { readonly object: T };

/** Something that is no more, and since when. */
export interface Past<T> {
  readonly was: As<T>;
  readonly endedAt: number;
}

/** What there is at some moment, by uid. */
export interface World {
  readonly pods: ReadonlyMap<string, As<PodFacts>>;
  readonly deployments: ReadonlyMap<string, As<DeploymentFacts>>;
  readonly pools: ReadonlyMap<string, As<PoolFacts>>;
  readonly reports: ReadonlyMap<string, As<ReportFacts>>;
  /** All former states of what is declared, with the end of each: what a writer may not have heard of yet. */
  readonly pastDeployments: readonly Past<DeploymentFacts>[];
  readonly pastPools: readonly Past<PoolFacts>[];
}

/** One change: what there was, what has come, and what there is with it. */
export interface Step {
  readonly seen: Seen;
  readonly before: Seen | undefined;
  /** It goes on with the next step: not to be kept. */
  readonly world: World;
}

interface Growing {
  readonly pods: Map<string, As<PodFacts>>;
  readonly deployments: Map<string, As<DeploymentFacts>>;
  readonly pools: Map<string, As<PoolFacts>>;
  readonly reports: Map<string, As<ReportFacts>>;
  readonly pastDeployments: Past<DeploymentFacts>[];
  readonly pastPools: Past<PoolFacts>[];
}

/** Takes the changes of a history one after the other, and returns all that `look` finds at each, in that moment. */
export function replay<T>({ seen }: Pick<History, 'seen'>, look: (step: Step) => readonly T[]): readonly T[] {
  const world: Growing = {
    ...{ pods: new Map(), deployments: new Map(), pools: new Map(), reports: new Map() },
    ...{ pastDeployments: [], pastPools: [] },
  };
  const last = new Map<string, Seen>();
  return seen.flatMap((one) => {
    const before = last.get(one.object.uid);
    take(world, one);
    if (one.gone) last.delete(one.object.uid);
    else last.set(one.object.uid, one);
    return look({ seen: one, before, world });
  });
}

function take(world: Growing, seen: Seen): void {
  switch (seen.kind) {
    case 'pod':
      put(world.pods, seen, seen.object);
      return;
    case 'deployment':
      put(world.deployments, seen, seen.object, world.pastDeployments);
      return;
    case 'pool':
      put(world.pools, seen, seen.object, world.pastPools);
      return;
    case 'report':
      put(world.reports, seen, seen.object);
  }
}

function put<T extends { readonly uid: string }>(
  there: Map<string, As<T>>,
  { version, at, gone }: Seen,
  object: T,
  past?: Past<T>[],
): void {
  const was = there.get(object.uid);
  if (was !== undefined) past?.push({ was, endedAt: at });
  if (gone) there.delete(object.uid);
  else there.set(object.uid, { version, at, object });
}

/** The states of an object that a writer may have believed in at `at`: what is, and what was within this time. */
export function believable<T extends { readonly uid: string }>(
  there: Iterable<As<T>>,
  past: readonly Past<T>[],
  { at, within }: { readonly at: number; readonly within: number },
): readonly T[] {
  const recent = past.filter(({ endedAt }) => endedAt >= at - within).map(({ was }) => was.object);
  return [...[...there].map(({ object }) => object), ...recent];
}
