import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { closeAdminServer, createAdminServer } from './admin/admin-server.ts';
import { metricsAnswer } from './admin/metrics-answer.ts';
import type { ClusterFlags } from './cli/cluster-options.ts';
import { connect } from './cli/connect.ts';
import { listen, urlOf } from './cli/listen.ts';
import { planEndpoint } from './cli/plan-endpoint.ts';
import { readVersion } from './cli/version.ts';
import type { KubeConnection } from './kube/transport.ts';
import { Operator } from './operator/operator.ts';
import { systemTimers as timers } from './platform/clock.ts';
import { onEndingSignal } from './platform/ending-signals.ts';
import { createLog, type Log } from './platform/log.ts';
import { createRegistry } from './platform/metrics/process-metrics.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** `corral operator`: returns the exit code once nothing of it runs any more. The models go on running. */
export async function runOperator(flags: ClusterFlags): Promise<number> {
  const api = connect(flags);
  if (typeof api === 'string') return complain(EXIT_USAGE, api);
  const log = createLog({ pretty: process.stdout.isTTY, level: flags.logLevel });
  try {
    return await operate(flags, api, log);
  } finally {
    await api.close();
  }
}

function complain(exitCode: number, problem: string): number {
  process.stderr.write(`corral operator: ${problem}\n`);
  return exitCode;
}

async function operate({ host, adminPort: port }: ClusterFlags, api: KubeConnection, log: Log): Promise<number> {
  const nonce = randomBytes(5).toString('hex');
  const operator = new Operator({ api, timers, wallNow: Date.now, instance: hostname(), nonce, log });
  const admin = createAdminServer({
    whyNotReady: () => operator.whyNotReady(),
    answers: new Map([...planEndpoint(operator, log), ['/metrics', metricsAnswer(createRegistry(readVersion()), log)]]),
  });
  const problem = await listen(admin, { host, port, flags: '--host and --admin-port' });
  if (problem !== undefined) return complain(EXIT_FAILED, problem);
  log.info('answering probes and scrapes', { url: urlOf(admin) });
  const told = new Promise<NodeJS.Signals>((resolve) => {
    onEndingSignal(resolve);
  });
  void operator.start().then(() => {
    if (operator.whyNotReady() === undefined) log.info('operating');
  });
  log.info('ending: the models go on running', { signal: await told });
  await operator.stop();
  closeAdminServer(admin);
  log.info('ended');
  return EXIT_OK;
}
