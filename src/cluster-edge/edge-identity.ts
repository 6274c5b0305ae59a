/** The pod that this edge runs in. Its report and its lease have its name, live in its namespace and go with it. */
export interface EdgeIdentity {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
}

const VARIABLES = ['POD_NAME', 'POD_NAMESPACE', 'POD_UID'] as const;

export type FoundIdentity =
  { readonly ok: true; readonly identity: EdgeIdentity } | { readonly ok: false; readonly problem: string };

/** Reads the identity from the environment, where the pod's manifest puts it by the downward API. */
export function readIdentity(env: NodeJS.ProcessEnv): FoundIdentity {
  const [podName, namespace, podUid] = VARIABLES.map((name) => env[name]);
  if (isGiven(podName) && isGiven(namespace) && isGiven(podUid)) {
    return { ok: true, identity: { namespace, podName, podUid } };
  }
  const missing = VARIABLES.filter((name) => !isGiven(env[name]));
  const paths = 'metadata.name, metadata.namespace and metadata.uid';
  return {
    ok: false,
    problem:
      `${missing.join(', ')}: not set. The report of an edge belongs to its pod: ` +
      `set ${VARIABLES.join(', ')} with fieldRef from ${paths}.`,
  };
}

const isGiven = (value: string | undefined): value is string => value !== undefined && value !== '';
