import { formatProblem } from '../api/problem.ts';
import type { ControlLoop } from '../control/control-loop.ts';
import type { Orders, Reloaded } from '../edge/orders.ts';
import type { Log } from '../platform/log.ts';
import type { ReadCatalog } from './catalog-reader.ts';

/** What clients order, carried out by the control loop. Reloads run one after the other, so that the last read wins. */
export function createOrders(control: ControlLoop, read: ReadCatalog, log: Log): Orders {
  let last: Promise<unknown> = Promise.resolve();

  const reload = async (): Promise<Reloaded> => {
    const result = await read(control.catalog);
    if (result.ok) {
      control.setCatalog(result.catalog);
      log.info('reloaded', { models: result.catalog.presets.length });
      return { ok: true };
    }
    const problems = result.problems.map(formatProblem);
    log.error('reload refused, what was declared before stays in force', { problems });
    return { ok: false, problems };
  };

  return {
    reload: async () => {
      const mine = last.then(reload);
      last = mine.catch(() => undefined);
      return mine;
    },
    load: (uid) => {
      if (control.isLive(uid)) return 'needless';
      control.orderLoad(uid);
      return 'ordered';
    },
    unload: (uid) => {
      if (!control.isLive(uid)) return 'needless';
      control.orderUnload(uid);
      return 'ordered';
    },
    replicasOf: (uid) => control.replicasOf(uid),
  };
}
