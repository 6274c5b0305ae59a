import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { packageFolderOf, renderNotices } from '../../scripts/notices.ts';
import { makeTempTree } from './support/temp-tree.ts';
import type { TempTree } from './support/temp-tree.ts';

describe('the notices of packages', () => {
  let tree: TempTree;
  beforeEach(() => {
    tree = makeTempTree();
  });
  afterEach(() => {
    tree.remove();
  });

  const aPackage = (name: string, files: readonly string[]): string => {
    tree.write(`${name}/package.json`, JSON.stringify({ name, version: '1.2.3', license: 'MIT' }));
    for (const file of files) tree.write(`${name}/${file}`, `text of ${name}/${file}\n`);
    return join(tree.path, name);
  };

  it('have names, versions and all texts that a licence wants to be passed on, in the order of names', () => {
    const folders = [aPackage('b', ['license.md', 'NOTICE', 'README.md']), aPackage('a', ['LICENCE'])];
    const notices = renderNotices(folders);
    assert.match(notices, /a 1\.2\.3 \(MIT\)\n\ntext of a\/LICENCE\n[^]*b 1\.2\.3 \(MIT\)\n\n/u);
    assert.match(notices, /text of b\/NOTICE/u);
    assert.match(notices, /text of b\/license\.md/u);
    assert.doesNotMatch(notices, /README/u);
  });

  it('are not made without the licence of a package', () => {
    assert.throws(() => renderNotices([aPackage('bare', ['README.md'])]), /bare has no file with its licence/u);
  });

  it('know the package of a path, the inner one where packages lie in packages', () => {
    assert.equal(packageFolderOf('src/main.ts'), undefined);
    assert.equal(packageFolderOf('node_modules/@scope/name/lib/a.js'), 'node_modules/@scope/name');
    assert.equal(packageFolderOf('../x/node_modules/a/node_modules/b/c.js'), '../x/node_modules/a/node_modules/b');
    assert.equal(packageFolderOf('src/my_node_modules/a/b.js'), undefined);
  });
});
