import { type Document, LineCounter, type Node, isMap, isNode, isScalar, parseAllDocuments } from 'yaml';
import { type FieldPath, formatField } from './field-path.ts';
import type { Problem, Site } from './problem.ts';

/** One document of a YAML file, as plain data, with the way back to its lines. */
export interface YamlDocument {
  readonly value: unknown;
  /** Where the value of a field begins, or of the nearest field around it that exists. */
  siteOfValue(path: FieldPath): Site;
  /** Where a field's own name stands. */
  siteOfKey(path: FieldPath): Site;
}

export interface ReadYaml {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly Problem[];
}

type Parsed = Document.Parsed;

function findNode(document: Parsed, path: FieldPath): Node | null {
  const found: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(found)) return found;
  return path.length === 0 ? null : findNode(document, path.slice(0, -1));
}

/** The node of the key that a path ends in. */
function findKey(document: Parsed, path: FieldPath): Node | null {
  const parent = findNode(document, path.slice(0, -1));
  if (!isMap(parent)) return findNode(document, path);
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)));
  return isNode(pair?.key) ? pair.key : findNode(document, path);
}

function place(file: string, lines: LineCounter, node: Node | null, path: FieldPath): Site {
  const offset = node?.range?.[0];
  const field = path.length === 0 ? {} : { field: formatField(path) };
  if (offset === undefined) return { file, ...field };
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col, ...field };
}

function explainErrors(document: Parsed, file: string): Problem[] {
  return [...document.errors, ...document.warnings].map(({ message, linePos }) => {
    const start = linePos?.[0];
    const [reason = message] = message.split(/ at line \d+/u);
    return { file, ...(start === undefined ? {} : { line: start.line, column: start.col }), reason };
  });
}

function makeDocument(document: Parsed, file: string, lines: LineCounter): ReadYaml {
  try {
    const made: YamlDocument = {
      value: document.toJS() as unknown,
      siteOfValue: (path) => place(file, lines, findNode(document, path), path),
      siteOfKey: (path) => place(file, lines, findKey(document, path), path),
    };
    return { documents: [made], problems: [] };
  } catch (error) {
    // Thrown for aliases that multiply without bound, and for an alias of nothing.
    const reason = error instanceof Error ? error.message : String(error);
    return { documents: [], problems: [{ ...place(file, lines, document.contents, []), reason }] };
  }
}

const isEmpty = (document: Parsed): boolean =>
  document.contents === null || (isScalar(document.contents) && document.contents.value === null);

/** Reads the documents of a YAML file; empty ones are passed over. A document with an error is reported, not returned. */
export function readYaml(text: string, file: string): ReadYaml {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: true });
  if (!Array.isArray(parsed)) return { documents: [], problems: [] };
  const problems = parsed.flatMap((document) => explainErrors(document, file));
  const made = parsed
    .filter((document) => document.errors.length === 0 && !isEmpty(document))
    .map((document) => makeDocument(document, file, lines));
  return {
    documents: made.flatMap(({ documents }) => documents),
    problems: [...problems, ...made.flatMap((one) => one.problems)],
  };
}
