import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import { stallOnSignal } from './bent-process.ts';
import { loadModels, type LoadedModels } from './loaded-models.ts';
import { nextWrite, OperatorPair } from './operator-pair.ts';
import type { Stage } from './stage.ts';

/** What keeps an operator from doing anything, and for how long. */
interface Sleep {
  readonly what: string;
  readonly milliseconds: number;
  /** Whether the process is stopped as a whole, or only its event loop. */
  readonly kind: 'stopped' | 'stalled';
}

/** The last one is longer than the Lease stands: another one leads when it wakes up. */
export const SLEEPS: readonly Sleep[] = [
  { what: 'the operator that leads is stopped for 30 s (SIGSTOP)', milliseconds: 30_000, kind: 'stopped' },
  { what: 'the event loop of the operator that leads is busy for 6 s', milliseconds: 6_000, kind: 'stalled' },
  { what: 'the event loop of the operator that leads is busy for 9 s', milliseconds: 9_000, kind: 'stalled' },
];

/** A renewal that was sent just before may be answered for so long. */
const ON_ITS_WAY_MS = 200;

/** One that wakes up must write nothing, and must end. */
export async function trySleep(t: Cleanup, stage: Stage, sleep: Sleep, runs: number): Promise<Series> {
  const flags = ['--import', stallOnSignal(sleep.milliseconds)];
  const pair = await OperatorPair.start(t, stage, [flags, flags]);
  const models = await loadModels(t, stage, { id: `${sleep.kind}-${sleep.milliseconds}`, busy: ['a'] });
  const tried = await tryEach(Array.from({ length: runs }), async () => sleepOnce(stage, pair, models, sleep));
  return { what: sleep.what, runs, ...tried, timed: 'from the signal to the first write of the next one' };
}

async function sleepOnce(stage: Stage, pair: OperatorPair, models: LoadedModels, sleep: Sleep): Promise<number> {
  const { leader, standby } = pair;
  await stage.audit.readOn();
  const since = stage.audit.length;
  const [began, asleepAt] = [performance.now(), Date.now() + ON_ITS_WAY_MS];
  const written = nextWrite(standby.seat);
  leader.operator.kill(sleep.kind === 'stopped' ? 'SIGSTOP' : 'SIGUSR2');
  // Whoever leads has to tell of this, also the one that sleeps, as soon as it sees it.
  await models.edit();
  await delay(sleep.milliseconds);
  if (sleep.kind === 'stopped') leader.operator.kill('SIGCONT');
  const exit = await leader.operator.exited;
  const took = (await written) - began;
  await models.untilTold();
  await pair.refill();
  await stage.audit.readOn();
  const late = stage.audit.since(since).filter(({ agent, at }) => agent === leader.seat.name && at > asleepAt);
  if (late.length > 0) throw new Error(`it has written: ${late.map(({ verb, path }) => `${verb} ${path}`).join(' ')}`);
  if (exit.code !== 1) throw new Error(`it has ended with ${String(exit.code)} ${String(exit.signal)}: ${exit.stderr}`);
  return took;
}
