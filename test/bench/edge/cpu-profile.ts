import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Place } from './unbundle.ts';

/** A function as it was called from its parent, with the time in it and below. */
export interface Frame {
  /** `name file:line`, the file shortened to what tells it apart. */
  readonly name: string;
  /** Microseconds in the function itself. */
  readonly self: number;
  /** `self` and all below. */
  readonly total: number;
  readonly children: readonly Frame[];
}

/** What V8's profiler writes, see the DevTools protocol, domain Profiler. */
const CpuProfile = Type.Object({
  nodes: Type.Array(
    Type.Object({
      id: Type.Number(),
      callFrame: Type.Object({ functionName: Type.String(), url: Type.String(), lineNumber: Type.Number() }),
      children: Type.Optional(Type.Array(Type.Number())),
    }),
  ),
  samples: Type.Array(Type.Number()),
  timeDeltas: Type.Array(Type.Number()),
});

type Node = Type.Static<typeof CpuProfile>['nodes'][number];

/** Time in which the loop waited, and that of the profiler itself. */
const IDLE = /^(?:\(idle\)|\(program\)|post node:inspector.*)$/u;

/**
 * The tree of calls, without the time in which nothing ran. Calls of one function by one parent are one frame. `unbundle` tells
 * where the code of a place comes from.
 */
export function readProfile(value: unknown, unbundle: (place: Place) => Place = (place) => place): Frame {
  const { nodes: places, samples, timeDeltas } = Value.Parse(CpuProfile, value);
  const nodes = places.map((node) => ({ ...node, callFrame: { ...node.callFrame, ...unbundle(node.callFrame) } }));
  const times = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    const [delta = 0] = timeDeltas.slice(index, index + 1);
    times.set(id, timeOf(times, id) + delta);
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const [root] = nodes;
  if (root === undefined) throw new RangeError('a profile of nothing');
  return frameOf([root], byId, times);
}

function frameOf(same: readonly Node[], byId: ReadonlyMap<number, Node>, times: ReadonlyMap<number, number>): Frame {
  const below = same
    .flatMap(({ children = [] }) => children.map((id) => byId.get(id)))
    .filter((node) => node !== undefined);
  const groups = Map.groupBy(below, nameOf);
  const children = [...groups]
    .filter(([name]) => !IDLE.test(name))
    .map(([, group]) => frameOf(group, byId, times))
    .toSorted((a, b) => b.total - a.total);
  const self = same.reduce((sum, { id }) => sum + timeOf(times, id), 0);
  const [first] = same;
  const name = first === undefined ? '' : nameOf(first);
  return { name, self, total: children.reduce((sum, { total }) => sum + total, self), children };
}

/** No sample hit it: no time was seen in it. */
function timeOf(times: ReadonlyMap<number, number>, id: number): number {
  const time = times.get(id);
  return time === undefined ? 0 : time;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  return `${name} ${shorten(url)}:${lineNumber + 1}`;
}

/** Packages by their names, Corral's own files below src, Node's own as they are. */
const shorten = (url: string): string =>
  url
    .replace(/^file:\/\//u, '')
    .replace(/^(?:.*\/)?src\//u, '')
    .replace(/^(?:.*\/)?node_modules\//u, '');

/** What share of all the time each function has had for itself, the largest first. */
export function selfTimes(root: Frame): readonly { readonly name: string; readonly share: number }[] {
  const selves = new Map<string, number>();
  const add = ({ name, self, children }: Frame): void => {
    const before = selves.get(name);
    selves.set(name, (before === undefined ? 0 : before) + self);
    for (const child of children) add(child);
  };
  add(root);
  return [...selves].map(([name, self]) => ({ name, share: self / root.total })).toSorted((a, b) => b.share - a.share);
}
