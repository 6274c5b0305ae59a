import Type from 'typebox';
import { Value } from 'typebox/value';
import type { KubeObject } from './kube-object.ts';
import { RESOURCE_VERSION_PATTERN } from './resource-version.ts';

const Text = Type.String({ minLength: 1 });
const ResourceVersion = Type.String({ pattern: RESOURCE_VERSION_PATTERN });
const Texts = Type.Record(Type.String(), Type.String());

const OwnerReference = Type.Object({
  apiVersion: Text,
  kind: Text,
  name: Text,
  uid: Text,
  controller: Type.Optional(Type.Boolean()),
});

const Metadata = Type.Object({
  name: Text,
  namespace: Type.Optional(Text),
  uid: Text,
  resourceVersion: ResourceVersion,
  creationTimestamp: Text,
  deletionTimestamp: Type.Optional(Text),
  generation: Type.Optional(Type.Integer()),
  labels: Type.Optional(Texts),
  annotations: Type.Optional(Texts),
  ownerReferences: Type.Optional(Type.Array(OwnerReference)),
});

const AnyObject = Type.Object({ metadata: Metadata });
const Versioned = Type.Object({ metadata: Type.Object({ resourceVersion: ResourceVersion }) });

const Page = Type.Object({
  metadata: Type.Object({ resourceVersion: ResourceVersion, continue: Type.Optional(Type.String()) }),
  items: Type.Array(Type.Unknown()),
});

const Failure = Type.Object({
  kind: Type.Literal('Status'),
  code: Type.Optional(Type.Integer()),
  reason: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  details: Type.Optional(Type.Object({ retryAfterSeconds: Type.Optional(Type.Number()) })),
});

/** One page of a list. */
export interface ObjectPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** With what to ask for the next page; `undefined`: this was the last. */
  readonly next: string | undefined;
}

/** A `Status` of Kubernetes that says why something failed. Everything in it is optional. */
export type FailureStatus = Type.Static<typeof Failure>;

/** An object as it came, without `managedFields`, which nobody reads and which are half of its size. `undefined`: it is none. */
export function decodeObject(raw: unknown): KubeObject | undefined {
  dropManagedFields(raw);
  return Value.Check(AnyObject, raw) ? raw : undefined;
}

/** The answer to a dry run: nothing was stored, so there is no resourceVersion, and it is made empty. */
export function decodeUnstored(raw: unknown): KubeObject | undefined {
  if (!isRecord(raw) || !isRecord(raw['metadata'])) return undefined;
  const decoded = decodeObject({ ...raw, metadata: { ...raw['metadata'], resourceVersion: '1' } });
  return decoded === undefined ? undefined : { ...decoded, metadata: { ...decoded.metadata, resourceVersion: '' } };
}

/** `undefined`: it is no list, or one of its items is no object. */
export function decodePage(raw: unknown): ObjectPage | undefined {
  if (!Value.Check(Page, raw)) return undefined;
  const items = raw.items.map(decodeObject).filter((item) => item !== undefined);
  if (items.length < raw.items.length) return undefined;
  const { resourceVersion, continue: next } = raw.metadata;
  return { items, resourceVersion, next: next === '' ? undefined : next };
}

export const decodeFailure = (raw: unknown): FailureStatus | undefined => (Value.Check(Failure, raw) ? raw : undefined);

/** The resourceVersion of something that need not be a whole object, such as a bookmark. */
export const decodeResourceVersion = (raw: unknown): string | undefined =>
  Value.Check(Versioned, raw) ? raw.metadata.resourceVersion : undefined;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function dropManagedFields(raw: unknown): void {
  if (isRecord(raw) && isRecord(raw['metadata'])) Reflect.deleteProperty(raw['metadata'], 'managedFields');
}
