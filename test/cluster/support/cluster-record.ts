import { readFile, writeFile } from 'node:fs/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';

/** The environment variable that names the record of the cluster of a whole run of tests. */
export const CLUSTER_VARIABLE = 'CORRAL_TEST_CLUSTER';

const MachineSchema = Type.Object({
  node: Type.Object({
    name: Type.String(),
    folder: Type.String(),
    address: Type.String(),
    podNetwork: Type.String(),
    link: Type.String(),
  }),
  init: Type.Integer(),
  cgroups: Type.Array(Type.String()),
});

const NodePartsSchema = Type.Object({
  containerd: Type.String(),
  runc: Type.String(),
  ctr: Type.String(),
  cniFolder: Type.String(),
  env: Type.Record(Type.String(), Type.String()),
});

/** All that a process needs to use a cluster that another has started; handed on as a file of JSON. */
const ClusterRecordSchema = Type.Object({
  server: Type.String(),
  caFile: Type.String(),
  tokenFile: Type.String(),
  kubeconfig: Type.String(),
  kubectl: Type.String(),
  auditLog: Type.String(),
  /** Our address as pods reach it. */
  hostIp: Type.String(),
  /** Where the cluster's processes write their logs. */
  logs: Type.String(),
  node: Type.Object({
    /** `none`: pods stay pending. */
    kind: Type.Union([Type.Literal('kubelet'), Type.Literal('stand-in'), Type.Literal('none')]),
    names: Type.Array(Type.String()),
    /** Why it is no real one. */
    reason: Type.Optional(Type.String()),
  }),
  machines: Type.Array(MachineSchema),
  parts: Type.Optional(NodePartsSchema),
});
export type ClusterRecord = Type.Static<typeof ClusterRecordSchema>;

/** Throws if the file is not one that `writeRecord` wrote. */
export async function readRecord(path: string): Promise<ClusterRecord> {
  const record: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!Value.Check(ClusterRecordSchema, record)) throw new Error(`${path} describes no cluster`);
  return record;
}

/** For its owner's eyes: it leads to keys. */
export async function writeRecord(path: string, record: ClusterRecord): Promise<void> {
  await writeFile(path, JSON.stringify(record, null, 2), { mode: 0o600 });
}
