/** Code that breaks one rule, by the rule's key (see eslint-rules.test.ts). It must not depend on where it stands. */
export const plants: ReadonlyMap<string, string> = new Map([
  ...Object.entries({
    'no-restricted-syntax: Inserts a default while looking up. Look up, then handle undefined.':
      'export function f(table: string[][], at: number): void { table[at] ??= []; }',
    'no-restricted-syntax: A look-up must not insert. Use find…() and handle undefined; insert only where the thing is created.':
      "export const f = (t: { getOrInsert(k: string): number }): number => t.getOrInsert('a');",
    'no-restricted-syntax: Do not define get-or-create functions.':
      'export function getOrCreateQueue(): void { return; }',
    'no-restricted-syntax: The result of a look-up silently becomes a default here. Name the missing case.':
      "export const f = (t: ReadonlyMap<string, number>): number => t.get('a') ?? 0;",
    'no-restricted-syntax: A missing entry silently becomes a default here. Name the missing case.':
      'export const f = (t: readonly number[]): number => t[0] ?? 1;',
    'no-restricted-syntax: Take `now` as an argument.': 'export const f = (): Date => new Date();',
    'no-restricted-syntax: Use ReadonlyMap for tables keyed by runtime strings: Record inherits "constructor" and "__proto__".':
      'export type Table = Record<string, number>;',
    'no-restricted-syntax: Decisions are synchronous.':
      'export async function f(): Promise<void> { await Promise.resolve(); }',
    'no-restricted-properties: Date.now': 'export const f = (): number => Date.now();',
    'no-restricted-properties: performance.now': 'export const f = (): number => performance.now();',
    'no-restricted-properties: process.hrtime': 'export const f = (): bigint => process.hrtime.bigint();',
    'no-restricted-properties: process.uptime': 'export const f = (): number => process.uptime();',
    'no-restricted-properties: Math.random': 'export const f = (): number => Math.random();',
    'no-restricted-imports': "import { join } from 'node:path';\nexport const f = join;",
    '@typescript-eslint/switch-exhaustiveness-check':
      "export function f(k: 'a' | 'b'): void { switch (k) { case 'a': break; } }",
    '@typescript-eslint/strict-boolean-expressions':
      'export const f = (text: string): number => { if (text) return 1; return 2; };',
    '@typescript-eslint/consistent-type-imports': "import { Stats } from 'node:fs';\nexport type S = Stats;",
    '@typescript-eslint/consistent-type-exports': "export { RmOptions } from 'node:fs';",
    '@typescript-eslint/explicit-module-boundary-types': 'export function f() { return 1; }',
    '@typescript-eslint/prefer-readonly': 'export class A { #x = 1; read(): number { return this.#x; } }',
    '@typescript-eslint/promise-function-async': 'export function f(): Promise<number> { return Promise.resolve(1); }',
    '@typescript-eslint/no-unsafe-type-assertion': 'export const f = (x: unknown): string => x as string;',
    '@typescript-eslint/restrict-template-expressions': 'export const f = (x: readonly string[]): string => `${x}`;',
    '@typescript-eslint/no-unnecessary-condition': 'export const f = (x: { readonly a: number }): number => x?.a;',
    '@typescript-eslint/prefer-nullish-coalescing':
      "export const f = (x: { readonly a: number } | undefined): unknown => x || 'none';",
    '@typescript-eslint/no-floating-promises': "import { setTimeout } from 'node:timers/promises';\nsetTimeout(1);",
    '@typescript-eslint/dot-notation': "export const f = (x: { readonly a: number }): number => x['a'];",
    eqeqeq: 'export const f = (a: number, b: number): boolean => a == b;',
    complexity: `export function f(n: number): number {\n${'if (n > 1) n -= 1;\n'.repeat(12)}return n;\n}`,
    'max-depth':
      'export function f(n: number): void { if (n > 1) { if (n > 2) { if (n > 3) { if (n > 4) { f(0); } } } } }',
    'max-params':
      'export function f(a: number, b: number, c: number, d: number, e: number): number { return a+b+c+d+e; }',
    'max-lines': 'export type A = 1;\n'.repeat(301),
    'max-lines-per-function': `export function f(n: number): number {\n${'n += 1;\n'.repeat(60)}return n;\n}`,
    'no-console': "console.log('x');\nexport {};",
    reportUnusedDisableDirectives: '// eslint-disable-next-line eqeqeq\nexport const x = 1;',
  }),
  ...[
    'process',
    'console',
    'fetch',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'performance',
    'crypto',
  ].map((name): [string, string] => [`no-restricted-globals: ${name}`, `export const f = (): unknown => ${name};`]),
]);
