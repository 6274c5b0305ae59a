/** What came of one part. */
export interface PartResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** Tests that were skipped; of a part that could not run, its files. */
  readonly skipped: number;
  readonly seconds: number;
  /** Why the part did not run or counts as failed, and what to do. */
  readonly note: string | undefined;
}

/** What came of two halves of one part that ran side by side. */
export function addResults(one: PartResult, other: PartResult): PartResult {
  const notes = [one.note, other.note].filter((note) => note !== undefined);
  return {
    name: one.name,
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    seconds: Math.max(one.seconds, other.seconds),
    note: notes.length === 0 ? undefined : notes.join('\n'),
  };
}

/** The table of the parts, their notes, and the plain line at the end. */
export function renderReport(results: readonly PartResult[]): string {
  const header = ['part', 'passed', 'failed', 'skipped', 'seconds'];
  const rows = results.map((r) => [r.name, r.passed, r.failed, r.skipped, r.seconds.toFixed(1)].map(String));
  const notes = results.filter((r) => r.note !== undefined).map((r) => `${r.name}: ${r.note}`);
  return ['', ...alignColumns([header, ...rows]), ...notes, renderTotals(results), ''].join('\n');
}

function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join('  '),
  );
}

function renderTotals(results: readonly PartResult[]): string {
  const total = (count: (result: PartResult) => number): number => results.reduce((sum, r) => sum + count(r), 0);
  const skipped = total((r) => r.skipped);
  const line = `${total((r) => r.passed)} passed, ${total((r) => r.failed)} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
