import type { Tally } from '../activity/ledger.ts';
import { modelName } from '../domain/ids.ts';
import type { EdgeContext } from './visit.ts';

type Seen = Pick<EdgeContext, 'board' | 'ledger'>;

/** What each declared model has to do now, as the ledger counts it. */
export function* readModels({ board, ledger }: Seen): Generator<{ model: string; inFlight: number; waiting: number }> {
  for (const { uid, preset } of board.read().routes) {
    const tally = ledger.tally(uid);
    if (tally !== undefined) yield { model: preset.model, ...counted(tally) };
  }
}

/** Whether a model is declared under this very name, which is no alias, now. */
export const isDeclared = ({ board }: Pick<Seen, 'board'>, model: string): boolean =>
  board.read().find(modelName(model))?.preset.model === model;

const counted = ({ activity, demand, queued }: Tally): { inFlight: number; waiting: number } => ({
  inFlight: activity.kind === 'busy' ? activity.inFlight : 0,
  waiting: queued + (demand === undefined ? 0 : demand.waiting),
});
