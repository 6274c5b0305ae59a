import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { readText, root } from './support/markdown.ts';

const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

/** The targets of a document's links into this repository. */
const linksOf = (file: string): string[] =>
  [...withoutCode(readText(file)).matchAll(/\]\(([^)\s]+)\)/gu)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/u.test(target));

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gmu, '');

/** As the forge makes it from a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...withoutCode(readText(file)).matchAll(/^#+ (.+)$/gmu)].map(([, heading = '']) => anchorOf(heading));

function isBroken(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : join(dirname(file), path);
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

describe('the documents', () => {
  it('link only to what is there', () => {
    assert.ok(documents.length > 8);
    const broken = documents.flatMap((file) =>
      linksOf(file)
        .filter((link) => isBroken(file, link))
        .map((link) => `${file}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  it('name commands of package.json only', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const known = new Set([...Object.keys(scripts), 'ci', 'pack']);
    const named = documents.flatMap((file) =>
      [...readText(file).matchAll(/`npm (?:run )?([a-z]+)/gu)].map(([, name = '']) => name),
    );
    assert.deepEqual(
      named.filter((name) => !known.has(name) && name !== 'install'),
      [],
    );
  });
});
