import { presetUid } from '../../domain/ids.ts';
import type { DrainCause } from '../../domain/replica.ts';
import { LARGEST_EPOCH } from '../edge-report-schema.ts';

/** The names under which a pod of Corral carries what the operator and the edges agree on. */
export const LABEL = {
  name: 'app.kubernetes.io/name',
  managedBy: 'app.kubernetes.io/managed-by',
  deployment: 'corral.dev/deployment',
  preset: 'corral.dev/preset',
  pool: 'corral.dev/pool',
  controller: 'corral.dev/controller',
} as const;

export const ANNOTATION = {
  /** The pool's whole name: a label's value may be too short for it. */
  pool: 'corral.dev/pool',
  rendered: 'corral.dev/rendered',
  serves: 'corral.dev/serves',
  prefix: 'corral.dev/prefix',
  /** The part of its pool that it was made for. */
  bin: 'corral.dev/bin',
  /** What it takes of that: JSON, quantities by resource. */
  footprint: 'corral.dev/footprint',
  gate: 'corral.dev/gate',
  drainCause: 'corral.dev/drain-cause',
  drainFor: 'corral.dev/drain-for',
} as const;

/** What `LABEL.controller` says of a pod of ours: the last part of the `controllerName` of its pool. */
export const OWN_CONTROLLER = 'operator';

export const LLAMA_SERVER = 'llama-server';
/** The port of every pod's llama-server. */
export const LLAMA_PORT = 8080;
/** Selects all pods that Corral runs: what operator and edge list and watch. */
export const POD_SELECTOR = `${LABEL.managedBy}=corral,${LABEL.name}=${LLAMA_SERVER}`;

/**
 * Whether edges may send a pod new requests. Every change gives it the next epoch, so that an edge's word about one
 * closing is never taken for its word about another.
 */
export interface Gate {
  readonly closed: boolean;
  readonly epoch: number;
}

const GATE = /^(open|closed)\/(0|[1-9][0-9]{0,15})$/u;

/**
 * `undefined`: it says nothing that Corral writes; then nobody may send anything. What is read here an edge may acknowledge: a number
 * that no report may have would keep all that the edge has to say from the operator.
 */
export function parseGate(text: string | undefined): Gate | undefined {
  const match = text === undefined ? null : GATE.exec(text);
  if (match === null) return undefined;
  const epoch = Number(match[2]);
  return epoch > LARGEST_EPOCH ? undefined : { closed: match[1] === 'closed', epoch };
}

export const formatGate = ({ closed, epoch }: Gate): string => `${closed ? 'closed' : 'open'}/${epoch}`;

const PLAIN_CAUSES = ['idle', 'surplus', 'removed', 'changed', 'ordered', 'paused', 'capacity', 'deleted'] as const;
const CAUSES_FOR = ['evicted', 'fairness'] as const;

/** The cause of a drain from its annotations; `undefined`: there is none that Corral writes. */
export function parseDrainCause(cause: string | undefined, beneficiary: string | undefined): DrainCause | undefined {
  const plain = PLAIN_CAUSES.find((kind) => kind === cause);
  if (plain !== undefined) return { kind: plain };
  const kind = CAUSES_FOR.find((one) => one === cause);
  return kind === undefined || beneficiary === undefined ? undefined : { kind, beneficiary: presetUid(beneficiary) };
}

/** For whom a drain is; `undefined`: for nobody. */
export const beneficiaryOf = (cause: DrainCause): string | undefined =>
  'beneficiary' in cause ? cause.beneficiary : undefined;
