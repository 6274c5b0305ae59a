import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** Where Kubernetes puts the credentials of a pod's service account. */
const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where the API server is and what proves to it who we are. */
export interface ClusterAccess {
  /** `https://host:port`, possibly with a path in front of the API's own; `http` only for this machine. */
  readonly server: URL;
  /** PEM; `undefined`: the certificate authorities that Node knows. */
  readonly caFile: string | undefined;
  /** `undefined`: no credentials are sent. */
  readonly tokenFile: string | undefined;
}

export interface AccessSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly apiServer?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
  /** Of the service account; where Kubernetes mounts it unless given. */
  readonly serviceAccountDir?: string;
}

/**
 * What the settings say, or else what Kubernetes tells every pod. Throws an error that says what to do if neither names an
 * API server, or if a token would go over the network in the clear.
 */
export function findClusterAccess(settings: AccessSettings): ClusterAccess {
  const access = settings.apiServer === undefined ? inPod(settings) : named(settings, settings.apiServer);
  for (const file of [access.caFile, access.tokenFile]) {
    if (file !== undefined && !existsSync(file)) throw new Error(`${file}: there is no such file`);
  }
  return access;
}

function named({ tokenFile, caFile }: AccessSettings, apiServer: string): ClusterAccess {
  return { server: parseServer(apiServer), caFile, tokenFile };
}

function inPod({ env, tokenFile, caFile, serviceAccountDir = SERVICE_ACCOUNT_DIR }: AccessSettings): ClusterAccess {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined || port === '') throw new Error(NO_SERVER);
  return {
    server: parseServer(`https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`),
    caFile: caFile ?? join(serviceAccountDir, 'ca.crt'),
    tokenFile: tokenFile ?? join(serviceAccountDir, 'token'),
  };
}

const NO_SERVER =
  'no API server: this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set). Outside a cluster, ' +
  'run `kubectl proxy` and give --api-server http://127.0.0.1:8001';

function parseServer(text: string): URL {
  const server = URL.parse(text);
  if (server === null || (server.protocol !== 'https:' && server.protocol !== 'http:')) {
    throw new Error(`--api-server ${quote(text)}: must be a URL such as http://127.0.0.1:8001`);
  }
  if (server.username !== '' || server.password !== '' || server.search !== '' || server.hash !== '') {
    throw new Error('--api-server: must have no user, password, query or fragment; credentials go into --token-file');
  }
  if (server.protocol === 'http:' && !isLoopback(server.hostname)) {
    throw new Error(`--api-server ${quote(text)}: must begin with https://, http:// is for this machine only`);
  }
  return server;
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));

const quote = (text: string): string => JSON.stringify(text);
