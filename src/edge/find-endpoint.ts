import { ENDPOINTS, type ClosedName, type Endpoint, type PathPattern } from './endpoints.ts';

export type FoundEndpoint =
  | { readonly kind: 'found'; readonly endpoint: Endpoint }
  /** The client asks which methods there are. */
  | { readonly kind: 'options'; readonly allow: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown-path' };

/** Finds what a client asks for. */
export type FindEndpoint = (method: string | undefined, path: string) => FoundEndpoint;

/** What is at one path, by method, and what becomes of all other methods. */
interface Place {
  readonly byMethod: ReadonlyMap<string | undefined, FoundEndpoint>;
  readonly otherwise: FoundEndpoint;
}

const UNKNOWN_PATH: FoundEndpoint = { kind: 'unknown-path' };

/**
 * Prepares the look-up of all endpoints that are open, `opened` among them. A path is compared byte for byte: no decoding,
 * no folding of case, dots or slashes. HEAD is allowed wherever GET is (RFC 9110 section 9.1), OPTIONS everywhere.
 */
export function createFindEndpoint(opened: readonly ClosedName[]): FindEndpoint {
  const open = ENDPOINTS.filter(({ closed }) => closed === undefined || opened.includes(closed));
  const paths = [...new Set(open.flatMap((endpoint) => endpoint.paths))];
  const fixed = new Map(paths.filter(isText).map((path) => [path, placeAt(open, path)]));
  const varying = paths.filter(isPattern).map((pattern) => ({ pattern, place: placeAt(open, pattern) }));
  return (method, path) => {
    const place = fixed.get(path);
    if (place !== undefined) return choose(place, method);
    const variant = varying.find(({ pattern }) => isMatch(pattern, path));
    return variant === undefined ? UNKNOWN_PATH : choose(variant.place, method);
  };
}

function choose({ byMethod, otherwise }: Place, method: string | undefined): FoundEndpoint {
  const found = byMethod.get(method);
  return found === undefined ? otherwise : found;
}

const isText = (path: string | PathPattern): path is string => typeof path === 'string';
const isPattern = (path: string | PathPattern): path is PathPattern => typeof path !== 'string';

const isMatch = ({ prefix, rest }: PathPattern, path: string): boolean =>
  path.startsWith(prefix) && rest.test(path.slice(prefix.length));

function placeAt(open: readonly Endpoint[], path: string | PathPattern): Place {
  const here = open
    .filter(({ paths }) => paths.includes(path))
    .flatMap((endpoint) => methodsOf(endpoint).map((method) => ({ method, endpoint })));
  const allow = [...here.map(({ method }) => method), 'OPTIONS'].join(', ');
  const byMethod = new Map<string, FoundEndpoint>([
    ...here.map(({ method, endpoint }) => [method, { kind: 'found', endpoint }] as const),
    ['OPTIONS', { kind: 'options', allow }],
  ]);
  return { byMethod, otherwise: { kind: 'wrong-method', allow } };
}

const methodsOf = ({ method }: Endpoint): readonly string[] => (method === 'GET' ? ['GET', 'HEAD'] : [method]);
