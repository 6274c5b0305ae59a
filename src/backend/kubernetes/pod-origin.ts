import { ANNOTATION, LABEL } from '../../api/cluster/pod-marks.ts';
import { isModelDeployment } from '../../api/cluster/pod-view.ts';
import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../kube/kube-object.ts';

type Texts = Readonly<Record<string, string>>;

/** What Corral has written into a pod when it made it, and never changes: what somebody else changes of it is put back. */
export interface PodOrigin {
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly owner: OwnerReference;
}

/** Labels and annotations that are to be put back. */
export type PodRepair = Pick<PodOrigin, 'labels' | 'annotations'>;

const LABELS: readonly string[] = Object.values(LABEL);
const ANNOTATIONS: readonly string[] = [
  ANNOTATION.pool,
  ANNOTATION.rendered,
  ANNOTATION.serves,
  ANNOTATION.prefix,
  ANNOTATION.bin,
  ANNOTATION.footprint,
];

/** As the pod is when it is seen first. `undefined`: no ModelDeployment controls it. */
export function originOf({ labels = {}, annotations = {}, ownerReferences = [] }: ObjectMeta): PodOrigin | undefined {
  const owner = ownerReferences.find((one) => one.controller === true && isModelDeployment(one));
  if (owner === undefined) return undefined;
  return { labels: pick(labels, LABELS), annotations: pick(annotations, ANNOTATIONS), owner };
}

/** What of a pod is not as it was made; `undefined`: nothing. */
export function findRepair(origin: PodOrigin, { labels = {}, annotations = {} }: ObjectMeta): PodRepair | undefined {
  const repair = { labels: changed(origin.labels, labels), annotations: changed(origin.annotations, annotations) };
  return Object.keys({ ...repair.labels, ...repair.annotations }).length === 0 ? undefined : repair;
}

/** The pod as it is when everything is put back. */
export function withRepair(object: KubeObject, repair: PodRepair | undefined): KubeObject {
  if (repair === undefined) return object;
  const { labels = {}, annotations = {} } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, ...repair.labels },
    annotations: { ...annotations, ...repair.annotations },
  };
  return { ...object, metadata };
}

export const ownerOf = ({ owner }: PodOrigin, namespace: string): PodOwner => ({
  namespace,
  name: owner.name,
  uid: owner.uid,
});

const pick = (texts: Texts, keys: readonly string[]): Texts =>
  Object.fromEntries(Object.entries(texts).filter(([key]) => keys.includes(key)));

const changed = (made: Texts, now: Texts): Texts =>
  Object.fromEntries(Object.entries(made).filter(([key, value]) => now[key] !== value));
