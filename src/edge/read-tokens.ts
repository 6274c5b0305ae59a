import { membersFromEnd, membersFromStart, type Members } from './json-ends.ts';

/** How many tokens a request took; `undefined`: the answer does not say. */
export interface Tokens {
  readonly in: number | undefined;
  readonly out: number | undefined;
}

/** The two ends of a whole answer, one character for each byte; without a head the tail is all of it. */
export interface Ends {
  readonly head: string | undefined;
  readonly tail: string;
}

export const NO_TOKENS: Tokens = { in: undefined, out: undefined };
/** `usage` is what the APIs of OpenAI and Anthropic say; `timings` is llama-server's own, which it sends also where nobody asked. */
const NAMES = ['usage', 'timings'];

/** What an answer that is one JSON object says: at its end, or, as one of embeddings, at its beginning. */
export function tokensOfJson({ head, tail }: Ends): Tokens {
  const text = tail.trimEnd();
  const atEnd = tokensOf(membersFromEnd(text, NAMES));
  if (isSaid(atEnd) || head === undefined) return atEnd;
  return tokensOf(membersFromStart(head, NAMES));
}

/**
 * What the last event says that says something. Anthropic's API tells of the prompt in the first event (`message_start`), and of
 * the answer in one of the last (`message_delta`).
 */
export function tokensOfEvents({ head, tail }: Ends): Tokens {
  const atEnd = tokensOfLastEvent(tail, head === undefined);
  if (atEnd.in !== undefined || !isSaid(atEnd)) return atEnd;
  return { in: promptTokens(firstEvent(head === undefined ? tail : head)), out: atEnd.out };
}

const isSaid = (tokens: Tokens): boolean => tokens.in !== undefined || tokens.out !== undefined;

/** From the last line backwards; what follows the last line's end is not whole. `isAll`: the first line is. */
function tokensOfLastEvent(text: string, isAll: boolean): Tokens {
  for (let end = text.lastIndexOf('\n'); end > 0;) {
    const start = text.lastIndexOf('\n', end - 1);
    const line = text.slice(start + 1, end).trimEnd();
    const isWhole = start !== -1 || isAll;
    const isData = line.endsWith('}') && (!isWhole || line.startsWith('data:'));
    const tokens = isData ? tokensOf(membersFromEnd(line, NAMES)) : NO_TOKENS;
    if (isSaid(tokens)) return tokens;
    end = start;
  }
  return NO_TOKENS;
}

/** The usage in the first event that has data, of an answer by Anthropic's API. */
function firstEvent(text: string): Numbers {
  const line = /^data: ?(\{.*\})\r?$/mu.exec(text)?.[1];
  const event = line === undefined ? undefined : parse(line);
  if (event === undefined || !('message' in event)) return NOTHING;
  const { message } = event;
  return typeof message === 'object' && message !== null && 'usage' in message ? numbersOf(message.usage) : NOTHING;
}

function tokensOf(members: Members): Tokens {
  const usage = numbersIn(members.get('usage'));
  const timings = numbersIn(members.get('timings'));
  const fromUsage = { in: promptTokens(usage), out: first(usage, 'completion_tokens', 'output_tokens') };
  const fromTimings = { in: sum(timings, ['prompt_n'], ['cache_n']), out: first(timings, 'predicted_n') };
  return {
    in: fromUsage.in === undefined ? fromTimings.in : fromUsage.in,
    out: fromUsage.out === undefined ? fromTimings.out : fromUsage.out,
  };
}

/** Anthropic counts apart what came out of a cache, and what went into one; OpenAI and llama-server do not. */
function promptTokens(usage: Numbers): number | undefined {
  const prompt = first(usage, 'prompt_tokens');
  if (prompt !== undefined) return prompt;
  return sum(usage, ['input_tokens'], ['cache_read_input_tokens', 'cache_creation_input_tokens']);
}

type Numbers = ReadonlyMap<string, number>;
const NOTHING: Numbers = new Map();

const first = (numbers: Numbers, ...names: readonly string[]): number | undefined =>
  names.map((name) => numbers.get(name)).find((number) => number !== undefined);

/** All of the first names must be there. */
function sum(numbers: Numbers, needed: readonly string[], others: readonly string[]): number | undefined {
  const known = [...needed, ...others].map((name) => numbers.get(name)).filter((number) => number !== undefined);
  if (!needed.every((name) => numbers.has(name))) return undefined;
  return known.reduce((total, number) => total + number, 0);
}

const numbersIn = (text: string | undefined): Numbers => (text === undefined ? NOTHING : numbersOf(parse(text)));

/** The members of an object that are counts. */
function numbersOf(value: unknown): Numbers {
  if (typeof value !== 'object' || value === null) return NOTHING;
  const entries: [string, unknown][] = Object.entries(value);
  return new Map(entries.filter((entry): entry is [string, number] => isCount(entry[1])));
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
