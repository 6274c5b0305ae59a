import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// A later block of a flat config replaces the `no-restricted-syntax` of an earlier one, so each block repeats the ban.

/** Promise 1: a missing entry is missing. Nothing is inserted, and nothing is made up, by looking it up. */
const defaultInsert = [
  {
    selector: 'AssignmentExpression[operator=/^(\\?\\?|\\|\\|)=$/] > MemberExpression.left[computed=true]',
    message: 'Inserts a default while looking up. Look up, then handle undefined.',
  },
  {
    // Map.prototype.getOrInsert is arriving in JavaScript, hence the list of names.
    selector:
      'CallExpression[callee.property.name=/^(getOr(Insert|InsertComputed|Create|Add|Default|Set)|findOrCreate|computeIfAbsent|setDefault|emplace|upsert)/]',
    message: 'A look-up must not insert. Use find…() and handle undefined; insert only where the thing is created.',
  },
  {
    selector:
      ':matches(FunctionDeclaration, VariableDeclarator)[id.name=/^(getOr|findOrCreate|ensure[A-Z].*Entry)/], MethodDefinition[key.name=/^(getOr|findOrCreate)/]',
    message: 'Do not define get-or-create functions.',
  },
  {
    selector:
      "LogicalExpression[operator=/^(\\?\\?|\\|\\|)$/][left.type='CallExpression'][left.callee.property.name=/^(get|find|at)$/]",
    message: 'The result of a look-up silently becomes a default here. Name the missing case.',
  },
  {
    selector: "LogicalExpression[operator=/^(\\?\\?|\\|\\|)$/][left.type='MemberExpression'][left.computed=true]",
    message: 'A missing entry silently becomes a default here. Name the missing case.',
  },
];

/** Time is an argument: only platform and the wiring read a clock. */
const wallClock = [
  {
    selector: ":matches(NewExpression, CallExpression)[callee.name='Date'][arguments.length=0]",
    message: 'Take `now` as an argument.',
  },
];

const stringRecord = [
  {
    selector: "TSTypeReference[typeName.name='Record'] > TSTypeParameterInstantiation > TSStringKeyword:first-child",
    message: 'Use ReadonlyMap for tables keyed by runtime strings: Record inherits "constructor" and "__proto__".',
  },
];

const asynchronous = [
  {
    selector: 'AwaitExpression, FunctionDeclaration[async=true], ArrowFunctionExpression[async=true]',
    message: 'Decisions are synchronous.',
  },
];

export default defineConfig(
  {
    name: 'corral/no-default-insert',
    files: ['**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...defaultInsert] },
  },
  { ignores: ['dist', 'node_modules', '**/*.generated.ts', '**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    name: 'corral/all',
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/strict-boolean-expressions': [
        'error',
        { allowString: false, allowNumber: false, allowNullableObject: false },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/promise-function-async': 'error',
      '@typescript-eslint/no-unsafe-type-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': 'error',
      // A ternary names the missing case, which is what we ask for.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignoreTernaryTests: true }],
      // tsc's noPropertyAccessFromIndexSignature asks for the opposite: a look-up should look like one.
      '@typescript-eslint/dot-notation': 'off',
      eqeqeq: 'error',
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    name: 'corral/time-is-an-argument',
    files: ['src/**/*.ts'],
    ignores: ['src/platform/**', 'src/main*.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...defaultInsert, ...wallClock],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take `now` as an argument.' },
        { object: 'performance', property: 'now', message: 'Take `now` as an argument.' },
        { object: 'process', property: 'hrtime', message: 'Take `now` as an argument.' },
        { object: 'process', property: 'uptime', message: 'Take `now` as an argument.' },
        { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
      ],
    },
  },
  {
    name: 'corral/tables-of-names',
    files: ['src/{activity,routing,control,edge}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', ...defaultInsert, ...wallClock, ...stringRecord] },
  },
  {
    name: 'corral/pure',
    files: ['src/{domain,planner}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...defaultInsert, ...wallClock, ...stringRecord, ...asynchronous],
      'no-restricted-globals': [
        'error',
        'process',
        'console',
        'fetch',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'queueMicrotask',
        'performance',
        'crypto',
      ],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\.{1,2}/)', message: 'domain and planner import nothing from outside.' }] },
      ],
    },
  },
  {
    // The only places that make branded values.
    name: 'corral/brands',
    files: ['src/domain/{ids,units}.ts'],
    rules: { '@typescript-eslint/no-unsafe-type-assertion': 'off' },
  },
  {
    // Each byte of each body goes through them. `npm run bench -- bodies` is the reason for their shape.
    name: 'corral/kernels',
    files: ['src/edge/*-scan.ts'],
    rules: { complexity: 'off', 'max-depth': 'off', 'max-lines-per-function': 'off' },
  },
  {
    name: 'corral/tests',
    files: ['**/*.test.ts'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      // Tests look into decoded answers; a wrong assertion shows as a failing test.
      '@typescript-eslint/no-unsafe-type-assertion': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['it', 'describe', 'test', 'suite'] },
          ],
        },
      ],
    },
  },
  {
    name: 'corral/config',
    files: ['*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { tsconfigRootDir: import.meta.dirname } },
  },
);
