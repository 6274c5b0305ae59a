import { Command, CommanderError } from 'commander';
import { parseArgv } from './api/parse-argv.ts';
import { formatProblem } from './api/problem.ts';
import { withEdgeOptions, type EdgeFlags } from './cli/edge-options.ts';
import { withKeyOptions, type KeyFlags } from './cli/key-options.ts';
import { withOperatorOptions, type OperatorFlags } from './cli/operator-options.ts';
import { withPlanOptions, type PlanFlags } from './cli/plan-options.ts';
import { OWN_OPTIONS, typedFlags, withServeOptions, type ServeFlags } from './cli/serve-options.ts';
import { withSimulateOptions, type SimulateFlags } from './cli/simulate-options.ts';
import { readVersion } from './cli/version.ts';
import { letReadersLeave } from './platform/broken-pipe.ts';
import { keepHangUpIgnored } from './platform/ending-signals.ts';

/** Wrong use or configuration; 1 is for what fails while running. */
const EXIT_USAGE = 2;

const LLAMA_SERVER_HELP = `
It is looked for in this order: --llama-server or LLAMA_SERVER, PATH, the cache ($XDG_CACHE_HOME/corral), a prebuilt
archive (LLAMA_SERVER_URL with LLAMA_SERVER_SHA256), and a build from source, which needs git, cmake, npm and a C++
compiler.
`;

const SERVE_HELP = `
llama-server's own options (-ngl 99, --ctx-size 8192, ...) are passed to every model's llama-server and win over what
presets and manifests say. Without --models-dir, --models-preset and -f it serves two demo models that answer nonsense.

Examples:
  corral serve --models-dir ~/models -ngl 99
  corral serve --models-preset models.ini --models-max 1 --idle-timeout 15m
  corral serve -f models.yaml
  corral serve -f models.yaml --check

Exit codes: 0 ended as told, 1 failed while running, 2 wrong use or configuration.
`;

/** What many type first is the folder or file alone. */
const SERVE_WORDS_HELP =
  'A folder of models goes with --models-dir, a presets file with --models-preset, a manifest with -f.\n';

const EDGE_HELP = `
It runs in a pod that has its own name, namespace and uid in POD_NAME, POD_NAMESPACE and POD_UID; deploy/edge.yaml is one.

Exit codes: 0 ended as told, 1 failed while running, 2 wrong use or configuration.
`;

const OPERATOR_HELP = `
Of several in a cluster one leads, by a Lease, and the others stand by; deploy/operator.yaml has two. Each may be ended and
started at any time: the models go on. One that loses the lead ends with 1, and is to be started again.

Exit codes: 0 ended as told, 1 failed while running, 2 wrong use or configuration.
`;

const PLAN_HELP = `
It changes nothing, and it is not a request: nothing is loaded, and no idle time begins anew. In a cluster the operator that
leads answers, on its admin port:
  leader=$(kubectl -n corral-system get lease corral-operator -o 'jsonpath={.spec.holderIdentity}')
  kubectl -n corral-system port-forward "pod/\${leader%_*}" 8081
  corral plan qwen3-8b --url http://127.0.0.1:8081

Exit codes: 0 answered, 1 nobody answered as Corral does, 2 wrong use or an unknown model.
`;

const KEY_HELP = `
The entry goes to standard output, for the list under keys: of the file that --keys-file names; the key goes to standard error.

Examples:
  echo keys: > keys.yaml
  corral key --id ci >> keys.yaml
  corral key --id team-a --models 'qwen*,embedding' --max-in-flight 8 >> keys.yaml
  corral key --id admin --operations infer,models:manage >> keys.yaml
  corral serve --models-dir ~/models --keys-file keys.yaml
`;

const SIMULATE_HELP = `
It starts nothing. Traces: CSV with the columns time,model,duration (seconds), the Azure LLM inference traces
(TIMESTAMP,ContextTokens,GeneratedTokens; with --spread), BurstGPT, or a recipe; examples/simulate has some.

Examples:
  corral simulate --trace requests.csv --models models.yaml
  corral simulate --trace AzureLLMInferenceTrace_conv.csv --models models.yaml --spread 1 --report report.html

Exit codes: 0 done, 1 the report cannot be written, 2 wrong use or input.
`;

/** Takes the flags of `serve`, and which of them were typed. */
type Serve = (flags: ServeFlags, typed: ReadonlySet<string>) => Promise<number>;

/** The program. Subcommands are imported when they are run, so that none pays for another's dependencies. */
function buildProgram(serve: Serve): Command {
  const program = new Command('corral')
    .description('Every llama.cpp model behind one OpenAI-compatible endpoint.')
    .version(readVersion(), '-V, --version')
    .exitOverride();
  withServeOptions(program.command('serve'))
    .usage("[options] [llama-server's options]")
    .description('serve models on this machine, each by a llama-server of its own that is started on demand')
    .addHelpText('after', SERVE_HELP)
    .action(async (flags: ServeFlags, command: Command) => {
      process.exitCode = await serve(flags, typedFlags(command));
    });
  withEdgeOptions(program.command('edge'))
    .description('take the requests of a cluster, whose models `corral operator` starts and stops')
    .addHelpText('after', EDGE_HELP)
    .action(async (flags: EdgeFlags) => {
      const { runEdge } = await import('./main-edge.ts');
      process.exitCode = await runEdge(flags);
    });
  withOperatorOptions(program.command('operator'))
    .description('run the models of a cluster, as pods, for the ModelDeployments that are applied to it')
    .addHelpText('after', OPERATOR_HELP)
    .action(async (flags: OperatorFlags) => {
      const { runOperator } = await import('./main-operator.ts');
      process.exitCode = await runOperator(flags);
    });
  withPlanOptions(program.command('plan'))
    .description('tell what would become of a request for a model now: whether it would wait, for whom, and why')
    .addHelpText('after', PLAN_HELP)
    .action(async (model: string, flags: PlanFlags) => {
      const { runPlan } = await import('./main-plan.ts');
      process.exitCode = await runPlan(model, flags);
    });
  withKeyOptions(program.command('key'))
    .description('make an API key, and its entry for a keys file')
    .addHelpText('after', KEY_HELP)
    .action(async (flags: KeyFlags) => {
      const { runKey } = await import('./main-key.ts');
      process.exitCode = runKey(flags);
    });
  withSimulateOptions(program.command('simulate'))
    .description('replay a trace of requests through the planner and other policies, and compare what they would wait')
    .addHelpText('after', SIMULATE_HELP)
    .action(async (flags: SimulateFlags) => {
      const { runSimulate } = await import('./main-simulate.ts');
      process.exitCode = await runSimulate(flags);
    });
  program
    .command('llama-server')
    .description('print the path of the llama-server that corral would run')
    .option('--llama-server <path>', 'the one to check')
    .option('--build', 'build it from source where none is found (minutes)', false)
    .addHelpText('after', LLAMA_SERVER_HELP)
    .action(async (options: { llamaServer?: string; build: boolean }) => {
      const { runLlamaServerCommand } = await import('./main-llama-server.ts');
      process.exitCode = await runLlamaServerCommand(options);
    });
  return program;
}

/** llama-server's options are read by their own table: commander cannot read `-ngl`. */
async function main(argv: readonly string[]): Promise<void> {
  const [command, ...rest] = argv;
  const split = command === 'serve' ? parseArgv(rest, OWN_OPTIONS) : { options: [], rest, problems: [] };
  const serve: Serve = async (flags, typed) => {
    const { runServe } = await import('./main-serve.ts');
    return runServe(flags, split.options, typed);
  };
  if (split.problems.length > 0) {
    for (const problem of split.problems) process.stderr.write(`corral serve: ${formatProblem(problem)}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const args = command === undefined ? ['--help'] : [command, ...split.rest];
  await buildProgram(serve).parseAsync(args, { from: 'user' });
}

keepHangUpIgnored();
letReadersLeave(process.stdout, process.stderr);
try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  if (error.code === 'commander.excessArguments' && process.argv[2] === 'serve') process.stderr.write(SERVE_WORDS_HELP);
  // Commander has written what is wrong; its own code for help and version is 0.
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}
