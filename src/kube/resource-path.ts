import type { ObjectRef, Resource } from './kube-object.ts';

/** The path of all objects of a kind, in one namespace or (with `undefined`) in all. */
export function collectionPath(
  { group, version, plural, namespaced }: Resource,
  namespace: string | undefined,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const within = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${within}/${plural}`;
}

/** The path of one object. Throws `TypeError` if a namespace is needed and missing: that would be another object. */
export function objectPath(resource: Resource, { namespace, name }: ObjectRef, subresource?: string): string {
  if (resource.namespaced && namespace === undefined) throw new TypeError(`${resource.plural} ${name}: no namespace`);
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
