import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterLayout } from './cluster-layout.ts';
import { run } from './run.ts';

/** Who may call the API server: user name to groups. */
const users = (layout: ClusterLayout): ReadonlyMap<string, string> =>
  new Map([
    ['admin', 'system:masters'],
    ['system:kube-controller-manager', 'system:masters'],
    ['system:kube-scheduler', ''],
    ['system:kube-proxy', ''],
    ...layout.nodes.map(({ name }): [string, string] => [`system:node:${name}`, 'system:nodes']),
  ]);

/** What proves who somebody is in one cluster. */
export interface ClusterKeys {
  readonly folder: string;
  readonly caFile: string;
  readonly ca: string;
  readonly tokens: ReadonlyMap<string, string>;
}

/** Makes a certificate authority, the API server's certificate, the key of service accounts and a token for each user. */
export async function makeKeys(layout: ClusterLayout): Promise<ClusterKeys> {
  const folder = join(layout.folder, 'keys');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await makeCertificates(folder, layout);
  const tokens = new Map([...users(layout).keys()].map((user) => [user, randomBytes(24).toString('hex')]));
  const rows = [...users(layout)].map(([user, groups]) =>
    [tokens.get(user), user, user, `"${groups}"`].join(',').replace(/,""$/u, ''),
  );
  await writeFile(join(folder, 'tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 });
  const caFile = join(folder, 'ca.crt');
  return { folder, caFile, ca: await readFile(caFile, 'utf8'), tokens };
}

/** EC keys: an RSA key takes longer than the rest of the control plane's start. */
async function makeCertificates(folder: string, layout: ClusterLayout): Promise<void> {
  const openssl = async (...args: readonly string[]): Promise<string> => run(['openssl', ...args], { cwd: folder });
  for (const name of ['ca', 'server', 'sa']) await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`); // prettier-ignore
  await openssl('pkey', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');
  await openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=corral-test-cluster', '-days', '30', '-out', 'ca.crt'); // prettier-ignore
  const addresses = [layout.apiHost, '127.0.0.1', layout.apiService].map((address) => `IP:${address}`);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map(
    (name) => `DNS:${name}`,
  );
  const extensions = `subjectAltName=${[...new Set(addresses), ...names].join(',')}\nextendedKeyUsage=serverAuth\n`;
  await writeFile(join(folder, 'server.ext'), extensions);
  await openssl('req', '-new', '-key', 'server.key', '-subj', '/CN=kube-apiserver', '-out', 'server.csr');
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', 'server.ext', '-out', 'server.crt'); // prettier-ignore
}

/** Writes a kubeconfig for a user and returns its path. JSON is YAML. */
export async function writeKubeconfig(layout: ClusterLayout, keys: ClusterKeys, user: string): Promise<string> {
  const token = keys.tokens.get(user);
  if (token === undefined) throw new Error(`${user} is no user of the cluster`);
  const path = join(layout.folder, `${user.replaceAll(':', '-')}.kubeconfig`);
  const server = `https://${layout.apiHost}:${layout.apiPort}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(keys.ca).toString('base64') } },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  };
  await writeFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}
