import { buildRouteTable } from './build-route-table.ts';
import type { RouteBoard, RouteTable } from './route.ts';

/** A board with an empty table. */
export function createRouteBoard(): RouteBoard {
  let current: RouteTable = buildRouteTable([]);
  const listeners: ((table: RouteTable) => void)[] = [];
  return {
    read: () => current,
    publish: (next) => {
      current = next;
      for (const listener of listeners) listener(next);
    },
    onPublish: (listener) => {
      listeners.push(listener);
    },
  };
}
