/** One option of llama-server. */
export interface LlamaOption {
  /** All spellings that set it, in the order of the help: the last one is the long one. */
  readonly names: readonly string[];
  /** Spellings that switch it off, for instance `--no-mmap`; empty: it cannot be switched off. */
  readonly negatives: readonly string[];
  /** The environment variable that llama-server reads for it. */
  readonly env: string | undefined;
  /** How many argv items follow it. */
  readonly values: 0 | 1 | 2;
  /** What the help says about an option that llama-server still knows but refuses. */
  readonly removed: string | undefined;
}

/** The help's text begins at this column; a longer list of spellings has a line of its own (llama.cpp, common/arg.cpp). */
const TEXT_COLUMN = 40;
/** What is left of `TEXT_COLUMN` ends with at least this much space where text follows on the same line. */
const GAP = '   ';

interface Block {
  readonly signature: string;
  readonly text: readonly string[];
}

function splitFirstLine(line: string): Block {
  const hasText = line.slice(TEXT_COLUMN - GAP.length, TEXT_COLUMN) === GAP;
  if (!hasText) return { signature: line.trim(), text: [] };
  return { signature: line.slice(0, TEXT_COLUMN).trim(), text: [line.slice(TEXT_COLUMN).trim()] };
}

function splitBlocks(help: string): Block[] {
  const blocks: Block[] = [];
  for (const line of help.split('\n')) {
    if (/^-{1,2}[a-zA-Z]/u.test(line)) blocks.push(splitFirstLine(line));
    else if (line.startsWith(' ')) {
      const open = blocks.pop();
      if (open !== undefined) blocks.push({ ...open, text: [...open.text, line.trim()] });
    }
  }
  return blocks;
}

/** Two values are two words; blanks inside `<…>` separate none. */
function countValues(hint: string): 0 | 1 | 2 {
  if (hint === '') return 0;
  return hint.replaceAll(/<[^>]*>/gu, 'x').split(' ').length === 1 ? 1 : 2;
}

/**
 * The help lists an option's spellings before those that switch it off, without a mark between them. The latter begin
 * after the last long spelling that does not start with `--no-`; an option with none such (`--no-host`) is a flag itself.
 */
function splitNegatives(spellings: readonly string[]): { names: readonly string[]; negatives: readonly string[] } {
  const last = spellings.findLastIndex((name) => name.startsWith('--') && !name.startsWith('--no-'));
  const names = last === -1 ? spellings : spellings.slice(0, last + 1);
  return { names, negatives: spellings.slice(names.length) };
}

function parseBlock(block: Block): LlamaOption {
  const [spellings = '', hint = ''] = /^((?:-[^\s,]+,\s+)*-[^\s,]+)(?:\s(.*))?$/u.exec(block.signature)?.slice(1) ?? [];
  const text = block.text.join(' ');
  const removed = /^the argument has been removed\. (?<instead>use .*?)(?: \(env: |$)/u.exec(text);
  return {
    ...splitNegatives(spellings.split(/,\s+/u)),
    env: /\(env: (?<name>[A-Z0-9_]+)\)/u.exec(text)?.[1],
    values: countValues(hint),
    removed: removed?.[1],
  };
}

/**
 * Reads the output of `llama-server --help`. Two options that share a spelling or an option without one mean that the
 * help's form has changed: that throws, because every option after it would be a guess.
 */
export function parseLlamaHelp(help: string): LlamaOption[] {
  const options = splitBlocks(help).map(parseBlock);
  const seen = new Set<string>();
  for (const name of options.flatMap((option) => [...option.names, ...option.negatives])) {
    if (name === '' || seen.has(name)) throw new Error(`the help of llama-server cannot be read at option '${name}'`);
    seen.add(name);
  }
  return options;
}
