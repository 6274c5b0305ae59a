import type { ControlLoop } from '../control/control-loop.ts';
import type { Orders } from '../edge/orders.ts';
import type { Reloads } from './reloads.ts';

/** What clients order, carried out by the control loop. */
export function createOrders(control: ControlLoop, reloads: Pick<Reloads, 'reload'>): Orders {
  return {
    reload: async () => reloads.reload(),
    load: (uid) => {
      if (control.isLive(uid)) return 'needless';
      control.orderLoad(uid);
      return 'ordered';
    },
    unload: (uid) => {
      if (!control.isLive(uid) && !control.isLoadOrdered(uid)) return 'needless';
      control.orderUnload(uid);
      return 'ordered';
    },
    replicasOf: (uid) => control.replicasOf(uid),
  };
}
