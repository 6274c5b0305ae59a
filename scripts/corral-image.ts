import { join, resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { ALLOCATOR_SETTING } from '../src/platform/allocator.ts';
import { bundle, NODE_FLAGS } from './bundle.ts';
import type { ImageContent, ImageFile } from './oci-image.ts';
import { programWithLibraries } from './shared-libraries.ts';

const root = resolve(import.meta.dirname, '..');

export const corralVersion = (): string => manifest.version;

/** The image's name, as the manifests in deploy/ have it. */
export const corralImageName = (): string => `corral.dev/corral:${corralVersion()}`;

/**
 * The image of Corral as this checkout is: its bundle, as in the npm package, the Node that runs us and its libraries. No shell,
 * and a user without rights, so that it runs under the strictest rules for pods.
 */
export function corralImage(): ImageContent {
  const program = [...bundle('src/main.ts')].map(([name, text]): [string, ImageFile] => [
    `/app/dist/${name}`,
    { text },
  ]);
  const beside = ['package.json', 'LICENSE'].map((name): [string, ImageFile] => [
    `/app/${name}`,
    { from: join(root, name) },
  ]);
  return {
    files: new Map([
      ...programWithLibraries(process.execPath, '/usr/local/bin/node'),
      ...program,
      ...beside,
      ['/etc/nsswitch.conf', { text: 'hosts: files dns\n' }],
      ['/etc/passwd', { text: 'corral:x:65532:65532::/app:/none\n' }],
    ]),
    folders: new Map([['/tmp', 0o1777]]),
    config: {
      Entrypoint: ['/usr/local/bin/node', ...NODE_FLAGS, '/app/dist/main.js'],
      User: '65532:65532',
      WorkingDir: '/app',
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production', ALLOCATOR_SETTING.join('=')],
    },
  };
}
