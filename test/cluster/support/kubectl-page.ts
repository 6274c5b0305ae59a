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

/** The lines that differ, for people; `undefined`: it is what the page shows, but for what changes from run to run. */
export function compare({ command, printed: expected }: Shown, printed: string): string | undefined {
  const [was, is] = [alike(expected), alike(printed)];
  if (was === is) return undefined;
  const lines = diff(was.split('\n'), is.split('\n')).map(([kind, line]) => `${SIGNS[kind + 1] ?? ' '} ${line}`);
  return `$ ${command}${lines.join('\n')}`;
}

/** By what `diff` says of a line, which is -1, 0 or 1: it is printed only, in both, or on the page only. */
const SIGNS = ['+', ' ', '-'];
