import type { Replica } from '../../domain/replica.ts';
import { after, earliest, later, minutes, type Instant } from '../../domain/units.ts';
import { evict } from './evict.ts';
import { byText, inOrder } from './in-order.ts';
import { grantOnDemand } from './on-demand.ts';
import type { Policy, World } from './policy.ts';

/** Ollama's `OLLAMA_KEEP_ALIVE`, see its envconfig/config.go. */
const KEEP_ALIVE = minutes(5);

/**
 * A fixed keep-alive, as Ollama's scheduler has it, but told what fits instead of guessing it, and loading side by side instead
 * of one after the other: a model stays for five minutes after its last request. Where there is no room, the idle ones leave
 * whose keep-alive ends first; who finds none waits.
 */
export function keepAlivePolicy(): Policy {
  return {
    decide(world, now) {
      retire(world, now);
      grantOnDemand(world, {
        wishes: (a, b) => a.since - b.since,
        victims: (a, b) => inOrder(endOf(a, world, now) - endOf(b, world, now), byText(a.preset, b.preset)),
      });
      const ends = world.observe().flatMap((one) => (one.state.kind === 'ready' ? [endOf(one, world, now)] : []));
      return { wakeAt: earliest(ends), unsettled: world.wishes().length > 0 };
    },
  };
}

function retire(world: World, now: Instant): void {
  for (const replica of world.observe()) {
    if (replica.state.kind === 'ready' && endOf(replica, world, now) <= now) evict(world, replica, { kind: 'idle' });
  }
}

/** When its keep-alive ends; of one in use the earliest moment that it could be, so that each end of a request needs no look. */
function endOf({ preset, state }: Replica, { ledger }: World, now: Instant): Instant {
  const activity = ledger.activity(preset);
  if (activity.kind !== 'idle' || state.kind !== 'ready') return after(now, KEEP_ALIVE);
  return after(later(activity.since, state.since), KEEP_ALIVE);
}
