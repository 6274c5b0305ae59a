import { locateLlamaServer } from './backend/local/llama-server/locate-llama-server.ts';
import { LlamaServerError } from './backend/local/llama-server/llama-server.ts';
import { untilAskedToEnd } from './platform/ending-signals.ts';
import { createProgressPrinter } from './backend/local/llama-server/progress-printer.ts';

/**
 * `corral llama-server`: prints the path of the llama-server that Corral would use on stdout, and nothing else there;
 * progress and errors go to stderr. Returns the exit code: 0, or 1 where there is none to use.
 */
export async function runLlamaServerCommand(options: {
  /** The value of `--llama-server`. */
  readonly llamaServer?: string | undefined;
  /** Builds one from source where none is found. */
  readonly build: boolean;
}): Promise<number> {
  const printer = createProgressPrinter(process.stderr);
  try {
    const server = await untilAskedToEnd(async (signal) =>
      locateLlamaServer({
        explicit: options.llamaServer,
        env: process.env,
        build: options.build,
        report: printer.report,
        signal,
      }),
    );
    printer.finish();
    process.stdout.write(`${server.path}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof LlamaServerError)) throw error;
    printer.finish();
    process.stderr.write(`corral llama-server: ${error.message}\n`);
    return 1;
  }
}
