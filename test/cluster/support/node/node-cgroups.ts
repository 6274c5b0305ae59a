import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../wait-until.ts';

/** The group of this process in each hierarchy of cgroup v1. */
function ownGroups(): readonly string[] {
  const rows = readFileSync('/proc/self/cgroup', 'utf8').trimEnd().split('\n');
  return rows.flatMap((row) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/u.exec(row) ?? [];
    const mount = join('/sys/fs/cgroup', controllers.replace(/^name=/u, ''));
    return controllers !== '' && existsSync(mount) ? [join(mount, path)] : [];
  });
}

/**
 * Makes a group for a node below our own in each hierarchy, so that whatever bounds us bounds it too, and two kubelets do
 * not clear away each other's. Writes the list to `list` before the first of them is made, for who clears up.
 */
export async function makeCgroups(name: string, list: string): Promise<readonly string[]> {
  const groups = ownGroups().map((parent) => join(parent, name));
  await writeFile(list, groups.join('\n'));
  for (const group of groups) {
    await mkdir(group, { recursive: true });
    // A new group of this kind has no processors and no memory, and takes no process until it has.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(group, file))) await writeFile(join(group, file), await readFile(join(group, '..', file)));
    }
  }
  return groups;
}

/** Removes the groups in a list that `makeCgroups` wrote, with those inside. Their processes must have been ended. */
export async function removeCgroups(list: string): Promise<void> {
  if (!existsSync(list)) return;
  const groups = (await readFile(list, 'utf8')).split('\n').filter((group) => group !== '');
  for (const group of groups) {
    await waitUntil(`${group} is empty`, 10, async () => {
      await removeTree(group).catch(() => undefined);
      return !existsSync(group);
    });
  }
}

/** The files of a cgroup cannot be removed; they go with their folder. */
async function removeTree(group: string): Promise<void> {
  if (!existsSync(group)) return;
  for (const entry of await readdir(group, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(group, entry.name));
  }
  await rmdir(group);
}
