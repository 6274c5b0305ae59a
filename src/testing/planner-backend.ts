import type { Replica, ReplicaState } from '../domain/replica.ts';
import type { Action } from '../planner/action.ts';
import type { Plan, PlanInput } from '../planner/plan-input.ts';
import { startedBy, startsOf } from './planner-oracle.ts';
import { readySince } from './worlds.ts';

/** The world after a backend has taken a plan's orders, nothing else having happened. */
export function applied(input: PlanInput, made: Plan): PlanInput {
  const ordered = input.replicas.map((replica) => ({
    ...replica,
    state: stateAfter(replica, made.actions, input.now),
  }));
  const first = input.replicas.length + 10;
  const started = startsOf(made).map((start, index) => startedBy(start, first + index, input.now));
  const counted = started.map(({ id }) => [id, 0] as const);
  return {
    ...input,
    replicas: [...ordered, ...started],
    inFlight: new Map([...input.inFlight, ...counted]),
    reservations: made.reservations,
  };
}

/** After that, whatever is being stopped is gone. */
export const withoutStopping = (input: PlanInput): PlanInput => ({
  ...input,
  replicas: input.replicas.filter(({ state }) => state.kind !== 'stopping'),
});

/** After that, whatever was starting is ready, and those who waited for it are served and gone. */
export function withoutStarting(input: PlanInput): PlanInput {
  const replicas = input.replicas.map((replica): Replica =>
    replica.state.kind === 'starting' ? { ...replica, state: readySince(input.now) } : replica,
  );
  const ready = new Set(replicas.flatMap(({ state, preset }) => (state.kind === 'ready' ? [preset] : [])));
  return {
    ...input,
    replicas,
    demand: new Map([...input.demand].filter(([uid]) => !ready.has(uid))),
    orders: new Map([...input.orders].filter(([uid, { kind }]) => kind === 'unload' || !ready.has(uid))),
  };
}

function stateAfter({ id, state }: Replica, actions: readonly Action[], now: PlanInput['now']): ReplicaState {
  const action = actions.find((one) => one.kind !== 'start' && one.replica === id);
  switch (action?.kind) {
    case undefined:
    case 'start':
      return state;
    case 'drain':
      return { kind: 'draining', since: now, cause: action.cause };
    case 'cancel':
      return state.kind === 'draining' ? readySince(state.since) : state;
    case 'stop':
      return state.kind === 'draining' ? { ...state, kind: 'stopping' } : state;
  }
}
