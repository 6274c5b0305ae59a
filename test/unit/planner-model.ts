import fc from 'fast-check';
import { checkRest } from './support/planner-model/check-rest.ts';
import { calmHappenings, roughHappenings, type Happenings } from './support/planner-model/commands.ts';
import { ModelWorld } from './support/planner-model/model-world.ts';
import { withTurns } from './support/planner-model/turns.ts';
import { calmStage, roughStage, type Stage } from './support/planner-model/worlds.ts';

/** Events after the traffic has stopped; a few for each request, replica and back-off are enough. */
const MOST_EVENTS_TO_REST = 3_000;

/** A kind of world, and what happens in it. */
export interface Climate {
  /** What is claimed, as a sentence. */
  readonly claim: string;
  readonly stage: Stage;
  readonly happenings: readonly Happenings[];
}

export const climates: readonly Climate[] = [
  {
    claim: 'serves everybody in turn, while clients come and go',
    stage: calmStage,
    happenings: calmHappenings,
  },
  {
    claim: 'keeps every promise, whatever fails, breaks, is lost, edited, removed or declared anew',
    stage: roughStage,
    happenings: roughHappenings,
  },
];

/** Walks through such worlds, which throw as soon as a promise is broken. `length`: the most that happens in one. */
export function walksOf(climate: Climate, length: number, onEnd: (world: ModelWorld) => void): fc.IProperty<unknown> {
  const { stage, happenings } = climate;
  const walks = fc.commands([...happenings], { maxCommands: length, size: 'max' });
  return fc.property(stage.setup, stage.fates, walks, (setup, fates, walk) => {
    withTurns((turns) => {
      const world = new ModelWorld(turns, setup, fates);
      fc.modelRun(() => ({ model: { declarations: world.declarations }, real: world }), walk);
      bringToRest(world);
      onEnd(world);
    });
  });
}

/** No more clients, no more faults: then everything ends that can end. */
function bringToRest(world: ModelWorld): void {
  world.heal();
  world.traffic.endLoops();
  world.settle();
  world.passAll(MOST_EVENTS_TO_REST);
  world.throwIf(checkRest(world));
  removeAll(world);
}

/** Without presets nothing is left, and nothing is ever to happen again. */
function removeAll(world: ModelWorld): void {
  for (let slot = 0; slot < world.declarations.slots; slot += 1) {
    world.declarations.edit(slot, () => ({ declared: false }));
  }
  world.declare();
  world.settle();
  world.passAll(MOST_EVENTS_TO_REST);
  const { admitted, outcomes } = world.traffic.books;
  world.throwIf([
    ...world.backend.observe().map(({ id }) => `${id} is never gone`),
    ...(outcomes.length === admitted ? [] : [`${admitted} requests, and ${outcomes.length} ends`]),
  ]);
}
