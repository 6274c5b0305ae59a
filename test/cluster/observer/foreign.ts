import { createHash } from 'node:crypto';
import type { ApiObject } from '../support/api-client.ts';

/** Under this name Corral's writes are entered into `managedFields`. */
const MANAGER = 'corral';
/** Labels and annotations that are Corral's own: it makes them, and puts them back where others change them. */
const isOurs = (key: string): boolean =>
  key.startsWith('corral.dev/') || ['app.kubernetes.io/name', 'app.kubernetes.io/managed-by'].includes(key);

interface Metadata {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly object[];
  readonly finalizers?: unknown;
  readonly managedFields?: readonly { readonly manager?: string }[];
}

/** A digest of all that Corral may not change in an object that it writes: what was declared, and what others have entered. */
export function foreignOf({ metadata, spec }: ApiObject): string {
  const { annotations = {}, labels = {}, ownerReferences = [], finalizers, managedFields = [] }: Metadata = metadata;
  const theirs = managedFields.filter(({ manager = '' }) => !manager.startsWith(MANAGER));
  const owners = ownerReferences.filter((owner) => !isOurOwner(owner));
  const all = [spec, theirsOf(labels), owners, finalizers, theirsOf(annotations), theirs];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url').slice(0, 16);
}

/** As Corral makes it for its pods, and puts it back; that it stays the same one is looked at by itself. */
const isOurOwner = (owner: object): boolean =>
  'apiVersion' in owner && String(owner.apiVersion).startsWith('corral.dev/') && 'kind' in owner && owner.kind === 'ModelDeployment'; // prettier-ignore

const theirsOf = (texts: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(texts)
    .filter(([key]) => !isOurs(key))
    .sort();
