import type { Acceptance, DeploymentVerdict } from '../api/cluster/accept.ts';
import type { PresetVerdict } from '../api/cluster/verdict.ts';
import type { PresetUid } from '../domain/ids.ts';

/** Which presets are to be loaded because they were declared, without anybody asking: each once in its life. */
export class StartupLoads {
  readonly #ordered = new Set<PresetUid>();

  /** Those that have not been ordered yet, and that no earlier operator has loaded either. */
  due({ verdicts }: Acceptance<unknown>): readonly PresetUid[] {
    const uids = verdicts.flatMap((verdict) =>
      verdict.presets.filter((preset) => isDue(preset, verdict)).map(({ uid }) => uid),
    );
    const due = uids.filter((uid) => !this.#ordered.has(uid));
    for (const uid of due) this.#ordered.add(uid);
    return due;
  }
}

function isDue({ name, outcome }: PresetVerdict<unknown>, { deployment }: DeploymentVerdict<unknown>): boolean {
  if (outcome.kind !== 'accepted' || !outcome.preset.scaling.loadOnStartup) return false;
  const known = deployment.status?.presets?.find((status) => status.name === name && status.uid === deployment.ref.uid);
  return known?.lastLoadedTime === undefined;
}
