import type { Problem } from './problem.ts';

/** The header of a section of a presets file. Its name may be empty. */
export const HEADER = /^\[[ \t]*([^\]]*?)[ \t]*\][ \t]*(?:[;#].*)?$/u;
const MANIFEST = /^(?:apiVersion|kind):/u;

/**
 * The one problem of a manifest that stands where a presets file should be. Below a section such a line is a slip in a presets
 * file, of which all else is worth telling.
 */
export function findManifest(lines: readonly string[], file: string): Problem | undefined {
  const at = lines.findIndex((line) => MANIFEST.test(line));
  if (at === -1 || lines.slice(0, at).some((line) => HEADER.test(line))) return undefined;
  const fix = 'It looks like a manifest: give it with -f.';
  return { file, line: at + 1, reason: 'this is no presets file', fix };
}

/**
 * The one problem of a presets file that stands where manifests should be. `values`: what could be read of it as YAML. A list in
 * brackets may stand in a manifest, and what begins with a comment of `;` is one long text in YAML.
 */
export function findPresets(text: string, values: readonly unknown[], file: string): Problem | undefined {
  const lines = text.split(/\r\n|\n|\r/u);
  const at = lines.findIndex((line) => HEADER.test(line));
  if (at === -1 || values.some((value) => typeof value !== 'string')) return undefined;
  if (findManifest(lines, file) !== undefined) return undefined;
  const fix = 'It looks like a presets file: give it with --models-preset.';
  return { file, line: at + 1, reason: 'this is no manifest', fix };
}

/** Lines of one file that cannot be read and are told one by one: a file with more of them is none of its kind. */
const MAX_UNREAD = 10;

/** A fault of a key that was read is always told; of the lines that are nothing the first show what the file is. */
export function shorten(problems: readonly Problem[]): readonly Problem[] {
  const [next, ...rest] = problems.filter(({ field }) => field === undefined).slice(MAX_UNREAD);
  if (next === undefined || rest.length === 0) return problems;
  const left = new Set([next, ...rest]);
  const reason = `and ${left.size} more lines that cannot be read`;
  return [...problems.filter((problem) => !left.has(problem)), { ...next, reason, fix: 'Is it a presets file?' }];
}
