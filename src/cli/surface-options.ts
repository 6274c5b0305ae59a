import { InvalidArgumentError, Option } from 'commander';
import type { CorsPolicy } from '../edge/cors.ts';
import { CLOSED_NAMES, type ClosedName } from '../edge/endpoints.ts';
import { DEFAULT_SURFACE, type Surface } from '../edge/surface.ts';

/** What `corral serve` and `corral edge` were told of what clients may ask for, and from where. */
export interface SurfaceFlags {
  readonly openEndpoint: readonly ClosedName[];
  readonly corsOrigins: CorsPolicy['origins'];
  readonly corsMethods: string;
  readonly corsHeaders: string;
  readonly corsCredentials: boolean;
}

/** What the flags are unless given. */
export const DEFAULT_SURFACE_FLAGS: SurfaceFlags = {
  openEndpoint: DEFAULT_SURFACE.opened,
  corsOrigins: DEFAULT_SURFACE.cors.origins,
  corsMethods: DEFAULT_SURFACE.cors.methods,
  corsHeaders: DEFAULT_SURFACE.cors.headers,
  corsCredentials: DEFAULT_SURFACE.cors.credentials,
};

const isClosedName = (text: string): text is ClosedName => CLOSED_NAMES.some((name) => name === text);

function openEndpoint(text: string, before: readonly ClosedName[]): readonly ClosedName[] {
  if (isClosedName(text)) return [...before, text];
  throw new InvalidArgumentError(`It must be one of ${CLOSED_NAMES.join(', ')}.`);
}

/** As browsers write it: a scheme, a host and perhaps a port, in small letters. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@*A-Z]+$/u;

function origins(text: string): CorsPolicy['origins'] {
  if (text.trim() === '*') return '*';
  const listed = text.split(',').map((origin) => origin.trim());
  const wrong = listed.find((origin) => origin !== 'localhost' && !ORIGIN.test(origin));
  if (wrong === undefined) return listed;
  const found = wrong === '*' ? '* stands alone.' : `${JSON.stringify(wrong)} is neither.`;
  throw new InvalidArgumentError(
    `It must be *, or origins such as https://a.example (no path, small letters) or localhost, separated by commas: ${found}`,
  );
}

/** Names of methods or headers, separated by commas (RFC 9110 section 5.6.2); what is wrong becomes commander's message. */
function names(text: string): string {
  const listed = text.split(',').map((name) => name.trim());
  if (listed.every((name) => /^[\w!#$%&'*+.^`|~-]+$/u.test(name))) return listed.join(', ');
  throw new InvalidArgumentError('It must be names, separated by commas, or *.');
}

/** The variables are those that llama-server reads for the same options. */
export const SURFACE_OPTIONS: readonly Option[] = [
  new Option(
    '--open-endpoint <name>',
    `open what is closed: ${CLOSED_NAMES.join(', ')} (may be repeated; see docs/serve.md)`,
  )
    .argParser(openEndpoint)
    .default(DEFAULT_SURFACE_FLAGS.openEndpoint, 'none'),
  new Option('--cors-origins <origins>', 'origins whose pages may call, separated by commas; localhost: any port of it')
    .env('LLAMA_ARG_CORS_ORIGINS')
    .argParser(origins)
    .default(DEFAULT_SURFACE_FLAGS.corsOrigins),
  new Option('--cors-methods <methods>', 'methods that those pages may use')
    .env('LLAMA_ARG_CORS_METHODS')
    .argParser(names)
    .default(DEFAULT_SURFACE_FLAGS.corsMethods),
  new Option('--cors-headers <headers>', 'headers that those pages may send; *: any')
    .env('LLAMA_ARG_CORS_HEADERS')
    .argParser(names)
    .default(DEFAULT_SURFACE_FLAGS.corsHeaders),
  new Option('--cors-credentials', 'let those pages send what the browser keeps, such as cookies').default(
    DEFAULT_SURFACE_FLAGS.corsCredentials,
  ),
  new Option('--no-cors-credentials', 'let them send none'),
];

/** What the edge takes of the flags. */
export const surfaceOf = (flags: SurfaceFlags): Surface => ({
  opened: flags.openEndpoint,
  cors: {
    origins: flags.corsOrigins,
    methods: flags.corsMethods,
    headers: flags.corsHeaders,
    credentials: flags.corsCredentials,
  },
});
