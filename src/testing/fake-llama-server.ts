import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Stands in for llama-server where a test needs one that misbehaves, as `FAKE` says: `ready`, `loading` (never ready),
 * `exit` (says why and exits with 3), `deaf` (ready, and ignores SIGTERM), `distracted`
 * (ready, and misses the first SIGTERM), `held` (ready once the file `FAKE_RELEASED` exists). While the file
 * `FAKE_ENDS_HELD` exists, SIGTERM does not end it yet. Its answers are its process id, and so is its first line of output once it listens.
 */
const { FAKE: mode, FAKE_RELEASED: released = '', FAKE_ENDS_HELD: endsHeld = '' } = process.env;
const valueOf = (option: string): string | undefined => process.argv[process.argv.indexOf(option) + 1];

if (mode === 'deaf') process.on('SIGTERM', () => undefined);
if (mode === 'distracted') process.once('SIGTERM', () => undefined);
// Also the second one, which comes after a second.
if (endsHeld !== '') process.on('SIGTERM', endUnlessHeld);

function endUnlessHeld(): void {
  if (existsSync(endsHeld)) setTimeout(endUnlessHeld, 5);
  else process.exit(0);
}

const isReady = (): boolean => mode !== 'loading' && (mode !== 'held' || existsSync(released));

if (mode === 'exit') {
  process.stderr.write('line 1\nthe model is broken\n');
  process.exitCode = 3;
} else {
  const health = `${String(valueOf('--api-prefix'))}/health`;
  createServer((request, response) => {
    response.writeHead(request.url === health && isReady() ? 200 : 503).end(String(process.pid));
  }).listen(Number(valueOf('--port')), valueOf('--host'), () => {
    process.stdout.write(`${process.pid}\n`);
  });
}
