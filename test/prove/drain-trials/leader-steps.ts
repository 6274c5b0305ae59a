import type { Fate } from '../operator-trials/api-proxy.ts';
import { kindOf, type WriteKind } from '../operator-trials/write-kind.ts';
import type { DrainStage } from './drain-stage.ts';
import { untilAcknowledged } from './gates.ts';

/** A step of an eviction at which the leader is killed. */
export type Step = { readonly what: string } & (
  | { readonly at: 'write'; readonly kind: WriteKind; readonly how: Exclude<Fate, 'pass' | 'lost'> }
  | { readonly at: 'acknowledged' }
  | { readonly at: 'gone' }
);

/** In the order in which an eviction takes them. */
export const STEPS: readonly Step[] = [
  { what: 'before it closes a gate', at: 'write', kind: 'closing of a gate', how: 'before' },
  { what: 'when the gate is closed, before it hears of that', at: 'write', kind: 'closing of a gate', how: 'after' },
  { what: 'when all edges have acknowledged the closed gate', at: 'acknowledged' },
  { what: 'before it orders the stop', at: 'write', kind: 'deletion of a pod', how: 'before' },
  { what: 'when the pod is deleted, before it hears of that', at: 'write', kind: 'deletion of a pod', how: 'after' },
  { what: 'when the pod is gone', at: 'gone' },
  { what: 'before it starts the next model', at: 'write', kind: 'creation of a pod', how: 'before' },
  { what: 'when the next model is started, before it hears of that', at: 'write', kind: 'creation of a pod', how: 'after' }, // prettier-ignore
];

/** For so long an eviction may take to come to a step, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Kills the leader when some eviction comes to a step. Resolves when it is dead. */
export async function killLeaderAt(stage: DrainStage, step: Step): Promise<void> {
  switch (step.at) {
    case 'write':
      await killAtWrite(stage, step);
      return;
    case 'acknowledged':
      await untilAcknowledged(stage);
      await stage.operators.killLeader();
      return;
    case 'gone':
      await stage.evictions.until(stage.evictions.count + 1, PATIENCE_MS);
      await stage.operators.killLeader();
  }
}

async function killAtWrite({ operators }: DrainStage, { what, kind, how }: Step & { at: 'write' }): Promise<void> {
  const { proxy } = operators.leader;
  const dead = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    dead.reject(new Error(`${what}: no such write within ${PATIENCE_MS / 1000} s`));
  }, PATIENCE_MS);
  let isHit = false;
  proxy.kill = async () => {
    await operators.killLeader();
    dead.resolve(undefined);
  };
  proxy.judge = (write) => {
    if (isHit || kindOf(write) !== kind) return 'pass';
    isHit = true;
    return how;
  };
  try {
    await dead.promise;
  } finally {
    clearTimeout(timer);
    proxy.judge = () => 'pass';
  }
}
