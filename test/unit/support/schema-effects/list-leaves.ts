import { readMember } from '../../../../src/api/field-path.ts';

/** Kubernetes' own, below the first level: Corral passes it on as it is. */
const isForeign = (path: string): boolean => /(?:^|\.)pod\.[A-Za-z]+$/u.test(path);

/** Every field of a schema that holds a value: what has named members is no leaf, unless it may have others, too. */
export function* listLeaves(schema: unknown, path: string): Generator<string> {
  const items = readMember(schema, 'items');
  const members = Object.entries(readMember(schema, 'properties') ?? {});
  if (isForeign(path) || (items === undefined && members.length === 0)) {
    yield path;
    return;
  }
  if (items !== undefined) {
    yield* listLeaves(items, `${path}[]`);
    return;
  }
  if (readMember(schema, 'additionalProperties') === true) yield path;
  for (const [name, member] of members) yield* listLeaves(member, path === '' ? name : `${path}.${name}`);
}
