import { diff } from 'node:util';
import { alike, settle } from './kubectl-page-rules.ts';

/** A command of the page, and what the page says that it prints. */
export interface Shown {
  readonly command: string;
  readonly printed: string;
}

/** An `sh` block with the `text` block that follows it. */
const SHOWN = /^```sh\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gmu;

/** The commands of a page with what they print, in their order. */
export const shownOn = (page: string): Shown[] =>
  [...page.matchAll(SHOWN)].map(([, command = '', printed = '']) => ({ command, printed }));

/** The page with other outputs, one for each command; what changes from run to run is replaced by what stands for it. */
export function withPrinted(page: string, outputs: readonly string[]): string {
  const rest = [...outputs];
  return page.replaceAll(SHOWN, (_, command: string) => {
    const printed = rest.shift();
    if (printed === undefined) throw new Error(`nothing was printed by: ${command}`);
    return `\`\`\`sh\n${command}\`\`\`\n\n\`\`\`text\n${settle(printed)}\`\`\``;
  });
}

/** Of a line of `diff`: printed only, on the page only, or both. */
const signOf = (kind: number): string => (kind === 0 ? ' ' : kind > 0 ? '+' : '-');

/** How many lines around one that differs are told too. */
const AROUND = 2;

/**
 * The lines that differ, and those around them, for people; `undefined`: it is what the page shows, but for what changes from
 * run to run.
 */
export function compare({ command, printed: expected }: Shown, printed: string): string | undefined {
  const [was, is] = [alike(expected), alike(printed)];
  if (was === is) return undefined;
  const lines = diff(is.trimEnd().split('\n'), was.trimEnd().split('\n'));
  const told = lines.filter((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(([kind]) => kind !== 0),
  );
  return `$ ${command}${told.map(([kind, line]) => `${signOf(kind)} ${line}`).join('\n')}`;
}
