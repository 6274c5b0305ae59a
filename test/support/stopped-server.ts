import type { Corral } from './corral.ts';

/**
 * Stops the process of the llama-server that runs a model, and returns what lets it go on. What it answers is in flight until then,
 * however slow the machine is and however long the test takes for what it does meanwhile. Its slots cannot be looked at.
 */
export function stopServer(corral: Corral, model: string): () => void {
  const server = corral.starts().findLast(({ args }) => args.includes(`--alias ${model} `));
  if (server === undefined) throw new Error(`no llama-server was started for ${model}`);
  process.kill(server.pid, 'SIGSTOP');
  return () => {
    process.kill(server.pid, 'SIGCONT');
  };
}
