import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { corralImage, corralImageName, corralVersion } from './corral-image.ts';
import { writeOciImage } from './oci-image.ts';
import { runCommand } from './run-named.ts';

/** Writes the image of this checkout as an archive, into the current folder unless told otherwise. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { output: { type: 'string', default: `corral-${corralVersion()}.oci.tar` } },
  });
  const path = resolve(values.output);
  writeOciImage(path, corralImageName(), corralImage());
  process.stdout.write(`${path}: ${corralImageName()}, for \`docker load --input\` or \`ctr images import\`\n`);
  return Promise.resolve(0);
}

await runCommand('npm run image', main);
