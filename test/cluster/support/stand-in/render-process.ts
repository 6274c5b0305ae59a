import type { StandInContainer } from './stand-in-pod.ts';

/** How a container's process is started on this machine. */
export interface RenderedProcess {
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
}

export interface Surroundings {
  /** What runs in place of the image's entrypoint. */
  readonly entrypoint: readonly string[];
  /** The container's environment, with the values of its references. */
  readonly env: ReadonlyMap<string, string>;
  /** Where what is mounted lies on this machine: mount path to path. */
  readonly mounts: ReadonlyMap<string, string>;
  readonly podIp: string;
}

/**
 * The command line and environment of a container: references to variables expanded as Kubernetes does it, mounted paths
 * replaced by those of this machine, and all addresses by the pod's own, because pods share this machine's network.
 */
export function renderProcess(container: StandInContainer, surroundings: Surroundings): RenderedProcess {
  const { entrypoint, env, mounts, podIp } = surroundings;
  const render = (text: string): string => ownAddress(mapPaths(expand(text, env), mounts), podIp);
  const command = container.command === undefined ? entrypoint : container.command.map(render);
  const args = container.args === undefined ? [] : container.args.map(render);
  return {
    argv: [...command, ...args],
    env: new Map([...env].map(([name, value]) => [name, mapPaths(value, mounts)])),
  };
}

/** `$(NAME)` is replaced if there is such a variable, `$$` is one `$`. */
export const expand = (text: string, env: ReadonlyMap<string, string>): string =>
  text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/gu, (match: string, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = env.get(name);
    return value === undefined ? match : value;
  });

/** At the start of the text or after a `=`, which is where options have their paths; the longest mount path counts. */
function mapPaths(text: string, mounts: ReadonlyMap<string, string>): string {
  const longestFirst = [...mounts].sort(([a], [b]) => b.length - a.length);
  for (const [mountPath, path] of longestFirst) {
    const at = text.startsWith('/') ? 0 : text.indexOf('=/') + 1;
    const rest = text.slice(at);
    if (rest === mountPath || rest.startsWith(`${mountPath}/`))
      return text.slice(0, at) + path + rest.slice(mountPath.length);
  }
  return text;
}

const ownAddress = (text: string, podIp: string): string => text.replace(/^(--host=)?0\.0\.0\.0$/u, `$1${podIp}`);
