import { globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ImageContent, ImageFile } from './oci-image.ts';
import { programWithLibraries } from './shared-libraries.ts';

const root = resolve(import.meta.dirname, '..');

const LockFileSchema = Type.Object({
  version: Type.String(),
  packages: Type.Record(
    Type.String(),
    Type.Object({
      dev: Type.Optional(Type.Boolean()),
      optional: Type.Optional(Type.Boolean()),
      devOptional: Type.Optional(Type.Boolean()),
    }),
  ),
});

function readLockFile(): Type.Static<typeof LockFileSchema> {
  const content: unknown = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  if (!Value.Check(LockFileSchema, content)) throw new Error('package-lock.json: not as npm 7 and newer write it');
  return content;
}

export const corralVersion = (): string => readLockFile().version;

/** The image's name, as the manifests in deploy/ have it. */
export const corralImageName = (): string => `corral.dev/corral:${corralVersion()}`;

/**
 * The image of Corral as this checkout is: its sources, what they depend on, the Node that runs us and its libraries. No
 * shell, and a user without rights, so that it runs under the strictest rules for pods.
 */
export function corralImage(): ImageContent {
  const { packages } = readLockFile();
  const needed = Object.entries(packages).filter(([, { dev, optional, devOptional }]) => dev !== true && optional !== true && devOptional !== true); // prettier-ignore
  const folders = needed.map(([path]) => path).filter((path) => path.startsWith('node_modules/'));
  const nested = (path: string): boolean => path.includes('/node_modules/');
  const code = [
    ...filesBelow('src').filter((path) => !path.endsWith('.test.ts') && !path.startsWith('src/testing/')),
    ...folders.flatMap((folder) => filesBelow(folder).filter((path) => !nested(path.slice(folder.length)))),
    ...['package.json', 'LICENSE'],
  ];
  const ours = code.map((path): [string, ImageFile] => [`/app/${path}`, { from: join(root, path) }]);
  return {
    files: new Map([
      ...programWithLibraries(process.execPath, '/usr/local/bin/node'),
      ...ours,
      ['/etc/nsswitch.conf', { text: 'hosts: files dns\n' }],
      ['/etc/passwd', { text: 'corral:x:65532:65532::/app:/none\n' }],
    ]),
    folders: new Map([['/tmp', 0o1777]]),
    config: {
      Entrypoint: ['/usr/local/bin/node', '/app/src/main.ts'],
      User: '65532:65532',
      WorkingDir: '/app',
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
    },
  };
}

const filesBelow = (folder: string): readonly string[] =>
  globSync(`${folder}/**`, { cwd: root }).filter((path) => statSync(join(root, path)).isFile());
