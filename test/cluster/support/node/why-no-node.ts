import { existsSync } from 'node:fs';
import { findExecutable } from '../../../../src/backend/local/llama-server/find-executable.ts';

/** What a node's cgroups are made in: version 1's hierarchies, one for each of these. */
const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids', 'devices', 'freezer'];
const TOOLS = ['ip', 'unshare', 'nsenter', 'mount', 'openssl', 'gcc'];

/** Why this machine can have no real node, as far as it shows without trying; `undefined`: it may. */
export function whyNoNode(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root (namespaces, cgroups and a bridge)';
  const missing = TOOLS.filter((name) => findExecutable(name, env) === undefined);
  if (missing.length > 0)
    return `a node needs ${missing.join(', ')} (Debian: iproute2, util-linux, openssl, gcc, libc6-dev)`;
  const absent = CONTROLLERS.filter((name) => !existsSync(`/sys/fs/cgroup/${name}/cgroup.procs`));
  if (absent.length > 0)
    return `a node needs cgroup v1 with ${absent.join(', ')}; on cgroup v2 use a cluster of your own (kind)`;
  return undefined;
}
