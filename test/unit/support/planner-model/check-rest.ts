import type { Pool } from '../../../../src/domain/pool.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { Replica } from '../../../../src/domain/replica.ts';
import { hasRoom, isOverfull, type Placed } from './has-room.ts';
import type { ModelWorld } from './model-world.ts';
import { takesRoom } from './truth.ts';

/** What is said of a world in which nothing will ever happen again. One sentence for each thing that is not so. */
export function checkRest(world: ModelWorld): string[] {
  const { traffic, backend, declarations } = world;
  const { open } = traffic.books;
  return [
    ...(open === 0 ? [] : [`${open} requests never end`]),
    ...backend.observe().flatMap((replica) => {
      const why = whyNot(replica, world);
      return why === undefined ? [] : [`${replica.id} stays for ever, although ${why}`];
    }),
    ...declarations.catalog.pools.filter((pool) => isOverfull(pool, thereIn(pool, world))).map(tooMuch),
    ...declarations.catalog.presets.filter((preset) => isMissing(preset, world)).map(tooFew),
  ];
}

/** What is wrong with a replica that stays for ever; `undefined`: nothing. */
function whyNot(replica: Replica, { declarations, backend }: ModelWorld): string | undefined {
  const { state, preset, pool, rendered } = replica;
  if (state.kind !== 'ready') return `it is ${state.kind}`;
  const declared = declarations.find(preset);
  if (declared === undefined) return 'its preset is gone';
  if (declared.rendered !== rendered || declared.pool !== pool) return 'its preset is declared otherwise';
  if (declarations.findPool(pool)?.paused === true) return 'its pool is paused';
  const own = ownOf(declared, backend.observe());
  const { minReplicas, maxReplicas, idleTimeout } = declared.scaling;
  if (own.length > maxReplicas) return `there are ${own.length} of it`;
  return idleTimeout > 0 && own.length > minReplicas ? 'it has been idle for too long' : undefined;
}

const ownOf = ({ uid }: Preset, replicas: readonly Replica[]): readonly Replica[] =>
  replicas.filter((one) => one.preset === uid && takesRoom(one));

const thereIn = ({ name }: Pool, { backend, declarations }: ModelWorld): readonly Placed[] =>
  backend
    .observe()
    .filter((one) => one.pool === name && takesRoom(one))
    .map((one) => ({ bin: one.bin, footprint: declarations.footprintOf(one) }));

/** What must always be loaded is, where there is room. */
function isMissing(preset: Preset, world: ModelWorld): boolean {
  const pool = world.declarations.findPool(preset.pool);
  if (pool === undefined || pool.paused) return false;
  const own = ownOf(preset, world.backend.observe());
  return own.length < preset.scaling.minReplicas && hasRoom(pool, thereIn(pool, world), preset.footprint);
}

const tooMuch = ({ name }: Pool): string => `${name} holds more for ever than it has room for`;
const tooFew = ({ uid }: Preset): string => `replicas of ${uid} are missing for ever, although there is room`;
