import { assertNever } from '../domain/assert-never.ts';
import { WHOLE_POOL } from '../domain/pool.ts';
import type { ModelPlan, PlannedLeaver } from '../routing/model-plan.ts';

type Waiting = Extract<ModelPlan, { readonly outcome: 'waits' | 'refused' }>;

/** A plan in lines for people. What comes from elsewhere cannot move the cursor: its control characters are taken out. */
export const planText = (plan: ModelPlan): readonly string[] =>
  linesOf(plan).map((line) => line.replace(/\p{Cc}/gu, ' '));

function linesOf(plan: ModelPlan): readonly string[] {
  const { model } = plan;
  switch (plan.outcome) {
    case 'ready':
      return [`${model} is ready: a request would be served at once.`];
    case 'loading':
      return [`${model} is loading: a request would wait until it is ready.`];
    case 'returns':
      return [`${model} is leaving, and would stay: a request would be served at once.`];
    case 'starts':
      return [`${model} would be started at once${plan.bin === WHOLE_POOL ? '' : `, in ${plan.bin}`}.`];
    case 'refused':
      return [`A request for ${model} would be refused.`, ...whyLines(plan)];
    case 'waits':
      return waitLines(plan);
    default:
      return assertNever(plan);
  }
}

function waitLines(plan: Waiting): readonly string[] {
  const rows = leaverRows(plan);
  if (rows.length === 0) return [`${plan.model} would wait.`, ...whyLines(plan)];
  const models = rows.length === 1 ? '1 model' : `${rows.length} models`;
  const others = plan.reason === 'WaitingForDrain' ? placeLines(plan) : whyLines(plan);
  return [`${plan.model} would wait for ${models} to leave:`, ...table(rows), ...others];
}

/** A model that leaves: what it does now, and how it ends. */
interface Row {
  readonly name: string;
  readonly state: string;
  readonly end: string;
}

/** Those that would leave for it, and those that leave already. */
function leaverRows({ reason, holders, leaving }: Waiting): readonly Row[] {
  const told = new Set(leaving.map(({ model }) => model));
  const already = reason === 'WaitingForDrain' ? holders.filter((model) => !told.has(model)) : [];
  return [...leaving.map(leaverRow), ...already.map((name) => ({ name, state: 'leaves already', end: '' }))];
}

function leaverRow({ model, replica, cause, idle_seconds: idle }: PlannedLeaver): Row {
  const isFair = cause === 'fairness';
  const busy = isFair ? 'in use' : 'not in use';
  return {
    name: model ?? (replica === undefined ? 'another model' : `${replica} (declared no more)`),
    state: idle === undefined ? busy : `idle for ${ageText(idle)}`,
    end: isFair ? 'finishes its requests, then leaves: others have waited too long' : cause,
  };
}

const whyLines = (plan: Waiting): readonly string[] => [`  ${plan.reason}: ${plan.message}`, ...placeLines(plan)];

function placeLines({ pool, position, until_seconds: until }: Waiting): readonly string[] {
  return [
    ...(position === undefined ? [] : [`  number ${position} of those that wait for room in the pool ${pool}`]),
    ...(until === undefined ? [] : [`  nothing changes by itself for ${ageText(until)}`]),
  ];
}

/** In columns, two blanks apart. */
function table(rows: readonly Row[]): readonly string[] {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const stateWidth = Math.max(...rows.map(({ state }) => state.length));
  return rows.map(({ name, state, end }) =>
    `  ${name.padEnd(nameWidth)}  ${state.padEnd(stateWidth)}  ${end}`.trimEnd(),
  );
}

/** Seconds as people say them, rounded down: `45 s`, `12 min`, `2 h 5 min`, `3 d`. */
function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}
