import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOut } from './cluster-layout.ts';
import { startTimeOf } from './started-processes.ts';

/** All that can be seen on this machine of cluster `index`: processes, files, mounts, links and cgroups. */
export function tracesOf(index: number): readonly string[] {
  const { folder, etcdFolder, bridge } = layOut(index, 0);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...processesOf([`${folder}/`, etcdFolder]),
    ...[folder, etcdFolder].filter((path) => existsSync(path)),
    ...mounts.filter((mount) => mount.includes(`${folder}/`)),
    ...readdirSync('/sys/class/net').filter((link) => link === bridge || link.startsWith(`${bridge}n`)),
    ...cgroupsOf('/sys/fs/cgroup', `corral-${index}-`),
  ];
}

function processesOf(paths: readonly string[]): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/u.test(name));
  const lines = pids.map((pid) => ({ pid, line: commandLine(pid) }));
  const found = lines.filter(({ pid, line }) => paths.some((path) => line.includes(path)) && startTimeOf(Number(pid)) !== undefined); // prettier-ignore
  return found.map(({ pid, line }) => `process ${pid}: ${line}`);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Five levels are deep enough: a node's groups lie directly below ours. */
function cgroupsOf(folder: string, prefix: string, depth = 5): readonly string[] {
  if (depth === 0 || !existsSync(folder)) return [];
  const inside = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inside.flatMap(({ name }) => {
    const path = join(folder, name);
    return name.startsWith(prefix) ? [path] : cgroupsOf(path, prefix, depth - 1);
  });
}
