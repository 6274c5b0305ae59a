import { plan } from '../planner/plan.ts';
import type { Action, Blocked } from '../planner/action.ts';
import { planInput, type World } from './worlds.ts';

/** The plan for a world as short lines, `start a in pool`, `drain a#1 evicted`, and why what is not granted waits. */
export function linesOf(world: World): { readonly does: string[]; readonly waits: string[] } {
  const { actions, blocked } = plan(planInput(world));
  return { does: actions.map(actionLine), waits: blocked.map(blockedLine) };
}

function actionLine(action: Action): string {
  switch (action.kind) {
    case 'start':
      return `start ${action.preset.model} in ${action.bin}`;
    case 'drain':
      return `drain ${action.replica} ${action.cause.kind}`;
    case 'cancel':
    case 'stop':
      return `${action.kind} ${action.replica}`;
  }
}

const blockedLine = ({ preset, reason, position }: Blocked): string =>
  `${preset.replace('-uid', '')} ${reason.kind}${position === undefined ? '' : ` ${position}`}`;
