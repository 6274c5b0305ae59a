import type { Random } from '../../src/testing/hostile-bodies.ts';
import { CORPUS } from './corpus.ts';
import { CHUNKED, HIDDEN, PLAIN } from './payload.ts';

/** What makes a difference where it stands. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\u0000',
  ' ',
  '\t',
  '\u000b',
  ',',
  ':',
  ';',
  '0',
  '\u00ff',
  '\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 13\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: h2c\r\n',
  'Host: y\r\n',
  'chunked',
  '0\r\n\r\n',
  CHUNKED,
  HIDDEN,
  PLAIN,
];

type Mutation = (text: string, random: Random) => string;

const insert = (text: string, at: number, piece: string): string => text.slice(0, at) + piece + text.slice(at);

const pick = <T>(choices: readonly T[], random: Random): T => {
  const choice = choices[random(choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
};

const anyPayload = (random: Random): string => pick(CORPUS, random).text;

/** Two places of a text, the lower one first. */
function span(text: string, random: Random): readonly [number, number] {
  const from = random(text.length + 1);
  return [from, Math.min(text.length, from + 1 + random(16))];
}

const MUTATIONS: readonly Mutation[] = [
  (text, random) => insert(text, random(text.length + 1), pick(TOKENS, random)),
  (text, random) => insert(text, random(text.length + 1), pick(TOKENS, random)),
  // A byte becomes another one.
  (text, random) => {
    const at = random(text.length);
    return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
  },
  (text, random) => {
    const [from, to] = span(text, random);
    return text.slice(0, from) + text.slice(to);
  },
  (text, random) => {
    const [from, to] = span(text, random);
    return insert(text, random(text.length + 1), text.slice(from, to));
  },
  (text, random) => {
    const [from, to] = span(text, random);
    return text.slice(0, from) + text.slice(from, to).toUpperCase() + text.slice(to);
  },
  // A line moves or comes twice.
  (text, random) => {
    const lines = text.split('\r\n');
    lines.splice(random(lines.length + 1), 0, pick(lines, random));
    return lines.join('\r\n');
  },
  (text, random) => text + anyPayload(random),
  (text, random) => {
    const other = anyPayload(random);
    return text.slice(0, random(text.length)) + other.slice(random(other.length));
  },
];

/** A payload of the corpus with one to four faults more. */
export function mutant(random: Random): string {
  let text = anyPayload(random);
  for (let left = 1 + random(4); left > 0; left -= 1) text = pick(MUTATIONS, random)(text, random);
  return text;
}
