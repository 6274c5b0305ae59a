import { findExecutable } from './find-executable.ts';

/** What a build from source needs on `PATH`. */
export type BuildTools =
  /** `generator`: cmake's arguments that choose what drives the compilers. */
  | { readonly kind: 'complete'; readonly generator: readonly string[] }
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] };

interface Need {
  readonly title: string;
  /** Any one of these will do. */
  readonly programs: readonly string[];
  /** The environment variable with which cmake is told of another one. */
  readonly variable?: string;
}

const NEEDS: readonly Need[] = [
  { title: 'npm', programs: ['npm'] },
  { title: 'tar', programs: ['tar'] },
  { title: 'git', programs: ['git'] },
  { title: 'cmake', programs: ['cmake'] },
  { title: 'a C compiler (cc, gcc or clang)', programs: ['cc', 'gcc', 'clang'], variable: 'CC' },
  { title: 'a C++ compiler (c++, g++ or clang++)', programs: ['c++', 'g++', 'clang++'], variable: 'CXX' },
  { title: 'make or ninja', programs: ['make', 'ninja'] },
];

/** Looks for everything that a build needs, before anything is fetched for it. */
export function findBuildTools(env: NodeJS.ProcessEnv): BuildTools {
  const missing = NEEDS.filter((need) => !isMet(need, env)).map((need) => need.title);
  if (missing.length > 0) return { kind: 'incomplete', missing };
  const chosen = env['CMAKE_GENERATOR'];
  const mayUseMake = findExecutable('make', env) !== undefined || (chosen !== undefined && chosen !== '');
  return { kind: 'complete', generator: mayUseMake ? [] : ['-G', 'Ninja'] };
}

function isMet(need: Need, env: NodeJS.ProcessEnv): boolean {
  const named = need.variable === undefined ? undefined : env[need.variable];
  if (named !== undefined && named !== '') return true;
  return need.programs.some((program) => findExecutable(program, env) !== undefined);
}

/** How a person gets the tools. */
export const TOOLS_FIX =
  'install them (Debian, Ubuntu: apt-get install git cmake g++ make npm; Fedora: dnf install git cmake gcc-c++ make npm; ' +
  'macOS: xcode-select --install, and brew install cmake)';
