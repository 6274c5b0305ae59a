import type { Instant } from '../domain/units.ts';
import type { Action } from '../planner/action.ts';
import type { Policy, World } from '../simulator/policies/policy.ts';

/** A policy as it is, and somebody who is told what it sees and what it does. */
export function watched(
  policy: Policy,
  told: {
    readonly acts?: (action: Action, world: World, now: Instant) => void;
    /** Before and after each decision. */
    readonly looks?: (world: World, now: Instant) => void;
  },
): Policy {
  return {
    decide(world, now) {
      told.looks?.(world, now);
      const decision = policy.decide(
        {
          pool: world.pool,
          presets: world.presets,
          protectedPresets: world.protectedPresets,
          ledger: world.ledger,
          presetOf: (replica) => world.presetOf(replica),
          observe: () => world.observe(),
          wishes: () => world.wishes(),
          lastBegun: (uid) => world.lastBegun(uid),
          apply: (action) => {
            told.acts?.(action, world, now);
            world.apply(action);
          },
        },
        now,
      );
      told.looks?.(world, now);
      return decision;
    },
  };
}
