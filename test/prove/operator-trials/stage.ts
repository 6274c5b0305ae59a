import { readFile } from 'node:fs/promises';
import { Observer } from '../../cluster/observer/observer.ts';
import { Violated } from '../../cluster/support/start-observed-cluster.ts';
import { userOf } from '../../cluster/support/audit.ts';
import { startCluster, type OwnCluster } from '../../cluster/support/start-cluster.ts';
import { GROUP, SYSTEM } from '../../cluster/support/corral-names.ts';
import { componentToken } from '../../cluster/support/create-token.ts';
import { freeLease } from '../../cluster/support/operator-lease.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiProxy } from './api-proxy.ts';
import { AuditTail } from './audit-tail.ts';
import { Mirror } from './mirror.ts';
import { buildProgram } from './operator-program.ts';
import { OperatorProcess } from './operator-process.ts';
import { PaperEdge } from './paper-edge.ts';
import { PAPER_NODE, startPaperKubelet } from './paper-kubelet.ts';

/** The service account of the operators. */
const OPERATOR_USER = userOf('operator');

/** A control plane without nodes, on which pods and an edge exist on paper only, and operators are real. */
export interface Stage {
  readonly own: OwnCluster;
  readonly pods: Mirror;
  readonly deployments: Mirror;
  readonly edge: PaperEdge;
  readonly audit: AuditTail;
  /** A way to the API server, with the rights of an operator. */
  readonly openProxy: (t: Cleanup, name: string) => Promise<{ readonly proxy: ApiProxy; readonly url: string }>;
  /** Starts an operator. */
  readonly start: (t: Cleanup, how: { readonly apiServer: string; readonly name: string; readonly nodeFlags?: readonly string[] }) => OperatorProcess; // prettier-ignore
}

/**
 * Of the observer's rules. Here operators have a token that belongs to no pod, and call themselves by the names of their
 * proxies: `judgeWrites` and the trials of leaders see to who writes what.
 */
const NOT_JUDGED = ['S5', 'S8'];

export async function setStage(t: Cleanup): Promise<Stage> {
  const program = await buildProgram(t);
  // Nothing here mounts images, and of an API server that cannot there is no other.
  const own = await startCluster({ nodes: 0, imageVolumes: false });
  t.after(async () => own.stop());
  const { cluster } = own;
  const observer = await Observer.start(cluster);
  t.after(async () => {
    const { violations } = await observer.end();
    const judged = violations.filter(({ rule }) => !NOT_JUDGED.some((one) => rule.startsWith(one)));
    if (judged.length > 0) throw new Violated(judged);
  });
  await install(own);
  const pods = new Mirror(t, cluster.api, '/api/v1/pods');
  await startPaperKubelet(t, cluster.api, pods);
  const edge = await PaperEdge.start(t, cluster.api, pods, PAPER_NODE);
  const deployments = new Mirror(t, cluster.api, `${GROUP}/modeldeployments`);
  await deployments.ready();
  const ca = await readFile(cluster.caFile, 'utf8');
  const token = await componentToken(cluster.api, 'operator');
  await freeLease(cluster.api);
  return {
    own,
    pods,
    deployments,
    edge,
    audit: new AuditTail(own.record.auditLog, OPERATOR_USER),
    openProxy: async (scope, name) => {
      const proxy = new ApiProxy(scope, { server: cluster.server, ca, token, name });
      return { proxy, url: await proxy.listen() };
    },
    start: (scope, how) => new OperatorProcess(scope, { program, ...how }),
  };
}

/** What `deploy/operator.yaml` says, but no operators in pods. */
async function install({ cluster }: OwnCluster): Promise<void> {
  await cluster.deployCrds();
  await cluster.deploy('deploy/namespace.yaml', 'deploy/operator.yaml');
  await cluster.kubectl(['--namespace', SYSTEM, 'delete', 'deployment', 'corral-operator', '--wait=false']);
  const accounts = `/api/v1/namespaces/${SYSTEM}/serviceaccounts`;
  await cluster.api.until(accounts, 'default', (account) => account !== undefined);
}
