/** What Corral reads of every object's metadata. Times are RFC 3339 texts of the API server's clock. */
export interface ObjectMeta {
  readonly name: string;
  /** Missing for objects of the whole cluster. */
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/**
 * An object as the API server has it. All but its metadata is for whoever knows the kind to decode; items of a list of one of
 * Kubernetes' own kinds come without `kind` and `apiVersion`.
 */
export interface KubeObject {
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** A kind of object, as its URL names it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** For instance `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One object of a known kind. */
export interface ObjectRef {
  readonly namespace: string | undefined;
  readonly name: string;
}
