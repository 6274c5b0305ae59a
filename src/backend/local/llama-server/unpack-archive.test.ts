import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEscapingEntry } from './unpack-archive.ts';

interface Entry {
  readonly name: string;
  readonly type?: string;
  /** As `tar -tv` ends the line of a link. */
  readonly link?: string;
}

function judge(...entries: readonly Entry[]): string | undefined {
  const details = entries.map(
    ({ name, type = '-', link = '' }) => `${type}rwxr-xr-x 0/0 5 2024-01-01 00:00 ${name}${link}`,
  );
  return findEscapingEntry(entries.map((entry) => entry.name), details); // prettier-ignore
}

const link = (name: string, target: string): Entry => ({ name, type: 'l', link: ` -> ${target}` });
const hardLink = (name: string, target: string): Entry => ({ name, type: 'h', link: ` link to ${target}` });

test('Files, folders and links that stay inside are let through.', () => {
  const folder = { name: 'llama/', type: 'd' };
  const fine = [
    folder,
    { name: 'llama/llama-server' },
    link('llama/lib.so', 'lib.so.0'),
    link('llama/up', '../readme'),
  ];
  assert.equal(judge(...fine, hardLink('llama/copy', 'llama/llama-server'), { name: './a/../b' }), undefined);
});

test('A name that is absolute or climbs out is refused.', () => {
  for (const name of ['/etc/passwd', '../x', 'a/../../x', '..', './../x']) {
    assert.equal(judge({ name: 'good' }, { name }), name);
  }
});

test('A link whose target is outside is refused, relative to its own folder or, a hard one, to the root.', () => {
  const wrong = [
    link('a/l', '/etc'),
    link('a/l', '../../x'),
    link('l', '..'),
    hardLink('a/l', '../x'),
    hardLink('a/l', '/x'),
  ];
  for (const entry of wrong) assert.equal(judge(entry), entry.name);
});

test('What would be written through a link of the same archive is refused, even where the link stays inside.', () => {
  assert.equal(judge({ name: 'x/', type: 'd' }, link('x/l', '..'), { name: 'x/l/file' }), 'x/l/file');
  assert.equal(judge(link('l/', 'x'), link('./l/m', 'y')), './l/m');
});

test('Devices, pipes and lists that do not fit together are refused.', () => {
  for (const type of ['b', 'c', 'p', 's']) assert.equal(judge({ name: 'dev', type }), 'dev');
  assert.match(String(findEscapingEntry(['a', 'b'], ['-rw a'])), /2 and 1 lines/);
  assert.equal(findEscapingEntry(['l'], ['lrwx no arrow']), 'l');
});
