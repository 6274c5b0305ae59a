/**
 * How much of a build is done by a line of its output, in percent: make under cmake writes `[ 12%] Building …`, ninja
 * `[3/45] Building …`. `undefined`: the line says nothing about it.
 */
export function parseBuildPercent(line: string): number | undefined {
  const percent = /^\[ {0,2}(\d{1,3})%\]/.exec(line)?.[1];
  if (percent !== undefined) return Math.min(100, Number(percent));
  const steps = /^\[(\d+)\/(\d+)\]/.exec(line);
  const done = Number(steps?.[1]);
  const total = Number(steps?.[2]);
  if (steps === null || total === 0) return undefined;
  return Math.min(100, Math.floor((100 * done) / total));
}
