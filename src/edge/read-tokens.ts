import { parseJson } from '../domain/json.ts';
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

/** What may be in the objects of an answer. */
interface Fields {
  readonly usage?: unknown;
  readonly timings?: unknown;
  readonly message?: unknown;
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly cache_read_input_tokens?: unknown;
  readonly cache_creation_input_tokens?: unknown;
  readonly prompt_n?: unknown;
  readonly cache_n?: unknown;
  readonly predicted_n?: unknown;
}

export const NO_TOKENS: Tokens = { in: undefined, out: undefined };
/** `usage` is what the APIs of OpenAI and Anthropic say; `timings` is llama-server's own, which it sends also where nobody asked. */
const NAMES = ['usage', 'timings'];

/** What an answer that is one JSON object says: at its end, or, as one of embeddings, at its beginning. */
export function tokensOfJson({ head, tail }: Ends): Tokens {
  if (head === undefined) return tokensOfWhole(tail);
  const atEnd = tokensOf(objectsOf(membersFromEnd(tail.trimEnd(), NAMES)));
  if (isSaid(atEnd)) return atEnd;
  return tokensOf(objectsOf(membersFromStart(head, NAMES)));
}

/** JSON.parse is several times as fast as reading backwards, and faster still where it gets the last members only. */
function tokensOfWhole(text: string): Tokens {
  const last = tokensOf(parse(lastMembers(text)));
  return last.in !== undefined && last.out !== undefined ? last : tokensOf(parse(text));
}

/**
 * An object of the members from the last `"usage"` on. It is JSON only where that is a member of the outermost object: deeper there
 * would be braces too many, and in a string the first quote has a backslash before it.
 */
function lastMembers(text: string): string | undefined {
  const at = text.lastIndexOf('"usage"');
  return at < 1 || text[at - 1] === '\\' ? undefined : `{${text.slice(at)}`;
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
    const tokens = isData ? tokensOf(objectsOf(membersFromEnd(line, NAMES))) : NO_TOKENS;
    if (isSaid(tokens)) return tokens;
    end = start;
  }
  return NO_TOKENS;
}

/** The usage in the first event that has data, of an answer by Anthropic's API. */
function firstEvent(text: string): Fields {
  const event = parse(/^data: ?(\{.*\})\r?$/mu.exec(text)?.[1]);
  return fieldsIn(fieldsIn(event.message).usage);
}

const objectsOf = (members: Members): Fields =>
  Object.fromEntries([...members].map(([name, text]) => [name, parse(text)]));

/** `answer`: an object with these members, or some of them. */
function tokensOf(answer: Fields): Tokens {
  const usage = fieldsIn(answer.usage);
  const said = { in: promptTokens(usage), out: count(usage.completion_tokens) ?? count(usage.output_tokens) };
  if (said.in !== undefined && said.out !== undefined) return said;
  const timings = fieldsIn(answer.timings);
  return {
    in: said.in ?? sum(timings.prompt_n, timings.cache_n),
    out: said.out ?? count(timings.predicted_n),
  };
}

/** Anthropic counts apart what came out of a cache, and what went into one; OpenAI and llama-server do not. */
const promptTokens = (usage: Fields): number | undefined =>
  count(usage.prompt_tokens) ??
  sum(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens);

/** The first must be there; of the others those that are. */
function sum(first: unknown, ...others: readonly unknown[]): number | undefined {
  let total = count(first);
  if (total === undefined) return undefined;
  for (const other of others) {
    const more = count(other);
    if (more !== undefined) total += more;
  }
  return total;
}

/** A whole number from 0 on. */
const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

const NOTHING: Fields = {};

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** `value`, if it is an object. */
const fieldsIn = (value: unknown): Fields => (isFields(value) ? value : NOTHING);

const parse = (text: string | undefined): Fields => (text === undefined ? NOTHING : fieldsIn(parseJson(text)));
