/** A call of an operator that may change something, as a proxy or the audit log sees it. */
export interface ApiWrite {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly isDryRun: boolean;
  /** As it was sent. */
  readonly body: string;
}

/** What the writes of an operator are about. */
export const WRITE_KINDS = [
  'dry run of a pod',
  'creation of a pod',
  'closing of a gate',
  'opening of a gate',
  'deletion of a pod',
  'status of a ModelDeployment',
  'status of a ModelPool',
  'Event',
  'Lease',
] as const;
export type WriteKind = (typeof WRITE_KINDS)[number];

/** Throws for a write that no operator makes. */
export function kindOf(write: ApiWrite): WriteKind {
  const kind = findKind(write);
  if (kind === undefined) throw new Error(`no operator writes ${write.method} ${write.path}`);
  return kind;
}

function findKind({ method, path, isDryRun, body }: ApiWrite): WriteKind | undefined {
  if (path.includes('/leases')) return 'Lease';
  if (path.endsWith('/events')) return 'Event';
  if (path.includes('/modeldeployments/') && path.endsWith('/status')) return 'status of a ModelDeployment';
  if (path.includes('/modelpools/') && path.endsWith('/status')) return 'status of a ModelPool';
  return path.includes('/pods') ? kindOfPodWrite(method, isDryRun, body) : undefined;
}

function kindOfPodWrite(method: string, isDryRun: boolean, body: string): WriteKind | undefined {
  if (method === 'POST') return isDryRun ? 'dry run of a pod' : 'creation of a pod';
  if (method === 'DELETE') return 'deletion of a pod';
  return body.includes('"closed/') ? 'closing of a gate' : 'opening of a gate';
}

/** Where a write of an operator is, of several that are tried in one cluster: names of its namespace and its pool. */
export interface Place {
  readonly namespace: string;
  readonly pool: string;
}

export const isIn = ({ path }: Pick<ApiWrite, 'path'>, { namespace, pool }: Place): boolean =>
  path.includes(`/namespaces/${namespace}/`) || path.includes(`/modelpools/${pool}/`);
