import { globSync } from 'node:fs';
import { readText, root } from './markdown.ts';

/** What the product's code calls things: `name` of an exported function, `Class.method`, and `Class.#method` of a private one. */
export function namesInCode(): ReadonlySet<string> {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|^src\/testing\//u.test(file));
  return new Set(files.flatMap((file) => namesIn(readText(file))));
}

/** Those of one file, as the formatter sets it: a class ends with the first brace that begins a line. */
export function namesIn(code: string): readonly string[] {
  const functions = [
    ...code.matchAll(/^export (?:async )?function (\w+)/gmu),
    ...code.matchAll(/^export const (\w+) =(?: async)? (?:<.*>)?\(/gmu),
  ].map(([, name = '']) => name);
  const classes = [...code.matchAll(/^export class (\w+)[^\n]*\{\n([\s\S]*?)^\}/gmu)];
  return [
    ...functions,
    ...classes.flatMap(([, name = '', body = '']) => methodsIn(body).map((one) => `${name}.${one}`)),
  ];
}

const methodsIn = (body: string): readonly string[] =>
  [...body.matchAll(/^ {2}(?:async |static )*(#?\w+)(?:<[^\n]*>)?\([^\n]*(?:\{|\()$/gmu)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'constructor');
