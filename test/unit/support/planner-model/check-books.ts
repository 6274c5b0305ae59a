import type { PresetUid } from '../../../../src/domain/ids.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { Route } from '../../../../src/routing/route.ts';
import type { WatchedWorld } from './watched-world.ts';

/** What is said of everybody, now that everything has had its turn. One sentence for each thing that is not so. */
export function checkBooks(world: WatchedWorld): string[] {
  const { declarations, traffic } = world;
  const { presets } = declarations.catalog;
  const { admitted, open, outcomes } = traffic.books;
  const claims: [boolean, string][] = [
    [admitted === open + outcomes.length, `${admitted} requests, ${open} open, ${outcomes.length} ended`],
    [same(traffic.streamingAt(), traffic.ledger.busyReplicas()), 'the ledger counts other requests at the replicas'],
    [traffic.queued === traffic.held.size, `${traffic.queued} presets are queued, ${traffic.held.size} are waited for`],
    ...presets.flatMap((preset) => claimsOf(preset, world)),
    ...[...declarations.buried].flatMap((uid) => claimsOfBuried(uid, world)),
  ];
  const routed = world.board.read().routes.map(({ uid }) => uid);
  claims.push([routed.join() === presets.map(({ uid }) => uid).join(), `the routes are those of ${routed.join()}`]);
  return claims.flatMap(([isTrue, otherwise]) => (isTrue ? [] : [otherwise]));
}

const same = <K>(a: ReadonlyMap<K, number>, b: ReadonlyMap<K, number>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

function claimsOf(preset: Preset, { board, traffic, source, backend }: WatchedWorld): [boolean, string][] {
  const { uid, model } = preset;
  const route = board.read().find(model);
  const tally = traffic.ledger.tally(uid);
  const account = traffic.ledger.find(uid);
  if (route?.uid !== uid || tally === undefined || account === undefined) return [[false, `${uid} is not declared`]];
  const held = traffic.heldFor(uid);
  const streaming = traffic.streamingOf(uid);
  const inFlight = tally.activity.kind === 'busy' ? tally.activity.inFlight : 0;
  const ready = backend
    .observe()
    .filter((one) => one.preset === uid && one.serves === preset.serves && one.state.kind === 'ready');
  return [
    [account.waiting === held, `${held} wait for ${uid}, the ledger says ${account.waiting}`],
    [inFlight === streaming, `${streaming} are answered by ${uid}, the ledger says ${inFlight}`],
    [tally.started - tally.finished === streaming, `${uid}: ${tally.started} begun, ${tally.finished} ended`],
    [
      ids(route.replicas) === ids(ready),
      `requests for ${uid} go to ${ids(route.replicas)}, and ${ids(ready)} serve it`,
    ],
    [
      held === 0 || source.hearing !== 'live' || isExplained(route),
      `${held} wait for ${uid}, which is ${route.phase.kind}`,
    ],
  ];
}

const ids = (all: readonly { readonly id: string }[]): string =>
  all
    .map(({ id }) => id)
    .sort()
    .join();

/** Somebody waits: then there is a process of it, or a reason why there is none, and nobody who waits is passed over. */
const isExplained = ({ phase, replicas, refusal }: Route): boolean =>
  phase.kind !== 'unloaded' && phase.kind !== 'failed' && replicas.length === 0 && refusal === undefined;

function claimsOfBuried(uid: PresetUid, { board, traffic, backend }: WatchedWorld): [boolean, string][] {
  const live = backend.observe().filter((one) => one.preset === uid && ['starting', 'ready'].includes(one.state.kind));
  return [
    [board.read().findByUid(uid) === undefined, `${uid} is gone, and has a route`],
    [traffic.ledger.find(uid) === undefined, `${uid} is gone, and has an account`],
    [traffic.heldFor(uid) === 0, `${uid} is gone, and somebody waits for it`],
    [live.length === 0, `${uid} is gone, and ${ids(live)} goes on`],
  ];
}
