import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { closeAdminServer, createAdminServer } from './admin/admin-server.ts';
import { metricsAnswer } from './admin/metrics-answer.ts';
import { lookAtSlots } from './backend/kubernetes/look-at-slots.ts';
import { connectAll } from './cli/connect.ts';
import { listen, urlOf } from './cli/listen.ts';
import type { OperatorFlags } from './cli/operator-options.ts';
import { planEndpoint } from './cli/plan-endpoint.ts';
import { readVersion } from './cli/version.ts';
import { OperatorReplica } from './operator/operator-replica.ts';
import { systemTimers as timers } from './platform/clock.ts';
import { onEndingSignal } from './platform/ending-signals.ts';
import { createLog, type Log } from './platform/log.ts';
import { addLeaderMetric } from './platform/metrics/leader-metric.ts';
import { addPresumedMetric } from './platform/metrics/presumed-metric.ts';
import { createRegistry } from './platform/metrics/process-metrics.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Why it ends. */
type End =
  { readonly kind: 'told'; readonly signal: NodeJS.Signals } | { readonly kind: 'lost'; readonly reason: string };

/** `corral operator`: returns the exit code once nothing of it runs any more. The models go on running. */
export async function runOperator(flags: OperatorFlags): Promise<number> {
  const log = createLog({ pretty: process.stdout.isTTY, level: flags.logLevel });
  const ended = Promise.withResolvers<End>();
  const operator = createOperator(flags, log, (reason) => {
    ended.resolve({ kind: 'lost', reason });
  });
  if (typeof operator === 'string') return complain(EXIT_USAGE, operator);
  onEndingSignal((signal) => {
    ended.resolve({ kind: 'told', signal });
  });
  return operate(flags, operator, log, ended.promise);
}

function complain(exitCode: number, problem: string): number {
  process.stderr.write(`corral operator: ${problem}\n`);
  return exitCode;
}

/** The name of its pod, which is the name of its host, too, unless the pod says otherwise. */
function instanceName(): string {
  const { POD_NAME: name } = process.env;
  return name === undefined || name === '' ? hostname() : name;
}

/** A text says what is wrong with the flags. */
function createOperator(flags: OperatorFlags, log: Log, onLost: (reason: string) => void): OperatorReplica | string {
  return connectAll(flags, log, (connect) => {
    const nonce = randomBytes(5).toString('hex');
    const [instance, namespace] = [instanceName(), flags.leaseNamespace];
    const looks = { lookAt: lookAtSlots, timers, wallNow: Date.now };
    return new OperatorReplica({ connect, namespace, ...looks, instance, nonce, log, onLost });
  });
}

async function operate(
  flags: OperatorFlags,
  operator: OperatorReplica,
  log: Log,
  ended: Promise<End>,
): Promise<number> {
  const registry = createRegistry(readVersion());
  addLeaderMetric(registry, () => operator.isLeading);
  addPresumedMetric(registry, () => operator.presumedDead);
  const admin = createAdminServer({
    whyNotReady: () => operator.whyNotReady(),
    answers: new Map([...planEndpoint(operator, log), ['/metrics', metricsAnswer(registry, log)]]),
  });
  const { host, adminPort: port } = flags;
  const problem = await listen(admin, { host, port, flags: '--host and --admin-port' });
  if (problem !== undefined) {
    await operator.stop();
    return complain(EXIT_FAILED, problem);
  }
  log.info('answering probes and scrapes', { url: urlOf(admin) });
  void operator.start();
  const end = await ended;
  tell(log, end);
  await operator.stop();
  closeAdminServer(admin);
  log.info('ended');
  return end.kind === 'told' ? EXIT_OK : EXIT_FAILED;
}

function tell(log: Log, end: End): void {
  if (end.kind === 'told') log.info('ending: the models go on running', { signal: end.signal });
  // It could not know what the next leader does: only one that begins anew may stand for election.
  else log.error('the lead is lost: this process ends, to be started again', { reason: end.reason });
}
