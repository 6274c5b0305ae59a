import type { JsonObject } from '../domain/json.ts';
import { metaOf, type FakeApiStore, type FakeKey } from './fake-api-store.ts';
import type { FakeApiWrites } from './fake-api-writes.ts';
import { isJsonObject } from './merge-patch.ts';

/** Deletes, as often as there is something to delete, the objects all of whose owners are gone. Returns their names. */
export function collectGarbage(store: FakeApiStore, writes: FakeApiWrites): readonly string[] {
  const deleted: string[] = [];
  for (let orphans = orphansIn(store); orphans.length > 0; orphans = orphansIn(store)) {
    for (const key of orphans) writes.remove(key);
    deleted.push(...orphans.map(({ name }) => name));
  }
  return deleted;
}

function orphansIn(store: FakeApiStore): readonly FakeKey[] {
  const entries = store.entries();
  const uids = new Set(entries.map(([, object]) => metaOf(object)['uid']));
  return entries.filter(([, object]) => isOrphan(object, uids)).map(([key]) => key);
}

function isOrphan(object: JsonObject, uids: ReadonlySet<unknown>): boolean {
  const { ownerReferences: owners, deletionTimestamp } = metaOf(object);
  if (!Array.isArray(owners) || owners.length === 0 || deletionTimestamp !== undefined) return false;
  return owners.every((owner: unknown) => isJsonObject(owner) && !uids.has(owner['uid']));
}
