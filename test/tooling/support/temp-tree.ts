import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The project's folder. */
export const root = resolve(import.meta.dirname, '../../..');

/** A folder of its own for one test, so that nothing is ever planted in the real tree. */
export interface TempTree {
  readonly path: string;
  /** Writes a file; `mode` for instance 0o755. */
  write(file: string, text: string, mode?: number): string;
  /** Copies a file or folder of the project to the same place. */
  copy(...files: readonly string[]): void;
  /** Makes the project's installed packages visible. */
  linkModules(): void;
  remove(): void;
}

export function makeTempTree(): TempTree {
  // The real path: macOS keeps its temporary folder behind a link, and tools report real paths.
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'corral-tooling-')));
  return {
    path,
    write(file, text, mode = 0o644) {
      const target = join(path, file);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text, { mode });
      return target;
    },
    copy(...files) {
      for (const file of files) cpSync(join(root, file), join(path, file), { recursive: true });
    },
    linkModules() {
      symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
    },
    remove() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Our environment without what would make a node that we start part of this test run. */
export function cleanEnvironment(more: Readonly<NodeJS.ProcessEnv> = {}): NodeJS.ProcessEnv {
  const env = { ...process.env, ...more };
  delete env['NODE_TEST_CONTEXT'];
  return env;
}
