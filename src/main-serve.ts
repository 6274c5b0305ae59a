import { setTimeout } from 'node:timers/promises';
import { createLedger } from './activity/create-ledger.ts';
import { closeAdminServer } from './admin/admin-server.ts';
import type { CatalogResult } from './api/catalog.ts';
import type { ArgItem } from './api/llama-options.ts';
import { formatProblem } from './api/problem.ts';
import type { SourcePaths } from './api/read-sources.ts';
import { LocalBackend } from './backend/local/local-backend.ts';
import { makeDemoModels } from './backend/local/demo-models.ts';
import { LlamaServerError, type LlamaServerErrorCode } from './backend/local/llama-server/llama-server.ts';
import { locateLlamaServer } from './backend/local/llama-server/locate-llama-server.ts';
import { createProgressPrinter } from './backend/local/llama-server/progress-printer.ts';
import { endOrphans } from './backend/local/orphans.ts';
import { catalogReader, namedSources, tellNotes, type ReadCatalog } from './cli/catalog-reader.ts';
import { adminProblem } from './cli/admin-options.ts';
import { edgeObservers } from './cli/edge-observers.ts';
import { checkProblem } from './cli/check-problem.ts';
import { runCheck } from './cli/check-manifests.ts';
import { limitsOf, limitsProblem } from './cli/limit-options.ts';
import { followKeys, openKeys, ringOf, warnOfOpenDoor, type KeysInForce } from './cli/key-source.ts';
import { proxiesOf } from './cli/proxy-options.ts';
import { listen, urlOf } from './cli/listen.ts';
import { createServeAdmin, listenForAdmin } from './cli/serve-admin.ts';
import { Reloads } from './cli/reloads.ts';
import { createOrders } from './cli/serve-orders.ts';
import type { ServeFlags } from './cli/serve-options.ts';
import { surfaceOf } from './cli/surface-options.ts';
import { tlsProblem } from './cli/tls-problem.ts';
import { untilTold } from './cli/until-told.ts';
import { ControlLoop } from './control/control-loop.ts';
import { planFor } from './control/describe-plan.ts';
import { createEdge, type Edge } from './edge/edge.ts';
import { monotonicNow, wakeIn } from './platform/clock.ts';
import { untilAskedToEnd } from './platform/ending-signals.ts';
import { createLog, type Log } from './platform/log.ts';
import { buildRouteTable } from './routing/build-route-table.ts';
import { createRouteBoard } from './routing/route-board.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** `corral serve`: returns the exit code once everything it has started is gone. `typed`: the flags of the command line. */
export async function runServe(
  flags: ServeFlags,
  args: readonly ArgItem[],
  typed: ReadonlySet<string>,
): Promise<number> {
  const problem = flagsProblem(flags, typed);
  if (problem !== undefined) return complain(EXIT_USAGE, [problem]);
  if (flags.check === true) return (await runCheck(flags, args, process)) ? EXIT_OK : EXIT_USAGE;
  const log = createLog({ pretty: process.stdout.isTTY, level: flags.logLevel });
  const read = catalogReader(await sourcePaths(flags, log), flags, args);
  const first = await read(undefined);
  if (!first.ok) return complain(EXIT_USAGE, first.problems.map(formatProblem));
  const keys = await openKeys(flags);
  if (keys.kind === 'wrong') return complain(EXIT_USAGE, keys.problems);
  tellNotes(first, log);
  try {
    const program = await findProgram(flags, log);
    const pids = await endOrphans();
    if (pids.length > 0) log.warn('ended what a killed corral had left behind', { pids });
    return await serve({ flags, log, program, keys, read, first });
  } catch (error) {
    if (!(error instanceof LlamaServerError)) throw error;
    return complain(WRONG_USE.has(error.code) ? EXIT_USAGE : EXIT_FAILED, [error.message]);
  }
}

/** What users have set that cannot be used. */
const WRONG_USE: ReadonlySet<LlamaServerErrorCode> = new Set(['E_LLAMA_SERVER_UNUSABLE', 'E_LLAMA_SERVER_ENVIRONMENT']);

/** What is wrong with flags that are each right. */
const flagsProblem = (flags: ServeFlags, typed: ReadonlySet<string>): string | undefined =>
  limitsProblem(flags) ?? adminProblem(flags) ?? tlsProblem(process.env) ?? checkProblem(flags, typed);

function complain(exitCode: number, lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`corral serve: ${line}\n`);
  return exitCode;
}

async function sourcePaths(flags: ServeFlags, log: Log): Promise<SourcePaths> {
  const named = namedSources(flags);
  if (named !== undefined) return named;
  const folder = await makeDemoModels(process.env);
  log.warn('serving two demo models that answer nonsense; for real ones: --models-dir FOLDER with .gguf files', {
    folder,
  });
  return { modelsDir: folder, modelsPreset: undefined, manifests: [] };
}

async function findProgram({ llamaServer }: ServeFlags, log: Log): Promise<string> {
  const printer = createProgressPrinter(process.stderr);
  try {
    const found = await untilAskedToEnd(async (signal) =>
      locateLlamaServer({ explicit: llamaServer, env: process.env, build: true, report: printer.report, signal }),
    );
    log.info('found llama-server', { path: found.path, version: found.version });
    return found.path;
  } finally {
    printer.finish();
  }
}

/** All that a running `serve` is made of. */
interface Serving {
  readonly flags: ServeFlags;
  readonly log: Log;
  readonly program: string;
  readonly keys: KeysInForce;
  readonly read: ReadCatalog;
  readonly first: CatalogResult & { readonly ok: true };
}

async function serve({ flags, log, program, keys, read, first }: Serving): Promise<number> {
  const ledger = createLedger();
  const board = createRouteBoard();
  const backend = new LocalBackend({ program, baseEnv: process.env, now: monotonicNow, log });
  const control = new ControlLoop({
    backend,
    activity: ledger,
    publish: (presets) => {
      board.publish(buildRouteTable(presets));
    },
    log,
    now: monotonicNow,
    wakeIn,
  });
  const reloads = new Reloads({ control, read, log });
  const created = Math.trunc(Date.now() / 1000);
  let whyNotReady: string | undefined = 'corral is still starting';
  const admin = await createServeAdmin(flags, { seen: { board, ledger }, whyNotReady: () => whyNotReady, log });
  const edge = createEdge({
    board,
    ledger,
    orders: createOrders(control, reloads),
    planOf: ({ uid, refusal }, sight) => planFor(control, { uid, refusal, sight, now: monotonicNow() }),
    log,
    observer: edgeObservers(log, admin?.metrics),
    now: monotonicNow,
    limits: limitsOf(flags),
    surface: surfaceOf(flags),
    ...proxiesOf(flags),
    created,
    ...ringOf(keys),
  });
  // However this process ends, short of SIGKILL, no child outlives it.
  process.on('exit', () => {
    backend.killAll();
  });
  const { host, port } = flags;
  const failure =
    (await listenForAdmin(admin, flags, log)) ??
    (await listen(edge.server, { host, port, flags: '--host and --port' }));
  if (failure !== undefined) {
    if (admin !== undefined) closeAdminServer(admin.server);
    return complain(EXIT_FAILED, [failure]);
  }
  control.setCatalog(first.catalog);
  for (const { uid, scaling } of first.catalog.presets) if (scaling.loadOnStartup) control.orderLoad(uid);
  log.info('listening', { url: urlOf(edge.server), models: first.catalog.presets.map(({ model }) => model) });
  warnOfOpenDoor(keys, edge.server, log);
  const unfollow = followKeys(keys, { log, wakeIn });
  whyNotReady = undefined;
  await untilTold(log);
  whyNotReady = 'corral is shutting down';
  edge.leave();
  await setTimeout(flags.shutdownDelay);
  await endAll({ edge, reloads, control, unfollow });
  if (admin !== undefined) closeAdminServer(admin.server);
  log.info('ended');
  return EXIT_OK;
}

/** What is ended, in this order. */
interface Running {
  readonly edge: Edge;
  readonly reloads: Reloads;
  readonly unfollow: () => void;
  readonly control: ControlLoop;
}

/** Resolves when the requests have ended and the llama-servers are gone. Nothing is started any more then, whatever comes late. */
async function endAll({ edge, reloads, unfollow, control }: Running): Promise<void> {
  const shut = edge.shutdown();
  // The edge waits for the answers to those who wait for a reload.
  reloads.end();
  await shut;
  unfollow();
  await control.stopAll();
  control.stop();
}
