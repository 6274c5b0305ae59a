/** A place in what the user wrote. Lines and columns count from 1. */
export interface Site {
  /** A file or folder as the user named it, or `command line`. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The key, option or field, for instance `spec.presets[2].args[0]`. */
  readonly field?: string;
}

/** Something that the user must change before Corral starts. */
export interface Problem extends Site {
  /** What is wrong, as a clause without a full stop at its end. */
  readonly reason: string;
  /** What to write instead. */
  readonly fix?: string;
  /** In a cluster the object is stored, the preset is not run, and this is the reason in the condition PresetsAccepted. */
  readonly condition?: string;
}

/** Something that is accepted but changes nothing here; the program says so once. */
export interface WithoutEffect {
  readonly file: string;
  readonly field: string;
  readonly reason: string;
}

/** Something that is accepted, and that whoever wrote it hardly meant so; the program says what will come of it. */
export type Warning = Omit<Problem, 'condition'>;

/** `file:line:column`, as far as it is known. */
export const formatPlace = (site: Site): string =>
  [site.file, site.line, site.column].filter((part) => part !== undefined).join(':');

/** `file:line:column: field`, as far as it is known. */
export const formatSite = (site: Site): string =>
  [formatPlace(site), ...(site.field === undefined ? [] : [site.field])].join(': ');

/** `file:line:column: field: reason. fix`. */
export function formatProblem(problem: Problem): string {
  return `${formatSite(problem)}: ${problem.reason}.${problem.fix === undefined ? '' : ` ${problem.fix}`}`;
}
