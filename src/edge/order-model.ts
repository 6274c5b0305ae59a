import type { PresetUid } from '../domain/ids.ts';
import { findRoute, receiveModel } from './receive-model.ts';
import { answerJson, refuse } from './refusal.ts';
import type { EdgeContext, Visit } from './visit.ts';

/**
 * POST /models/load and /models/unload: answered when the wish is recorded, as llama-server's router does.
 * `give` says what is wrong with the order, or `undefined`.
 */
function orderModel(edge: EdgeContext, visit: Visit, give: (preset: PresetUid) => string | undefined): void {
  receiveModel(edge, visit, ({ name }) => {
    const route = findRoute(edge, visit, name);
    if (route === undefined) {
      const message = 'model is not found';
      refuse(visit.res, { status: 404, code: 'model_not_found', type: 'not_found_error', message });
      return;
    }
    const problem = give(route.uid);
    if (problem === undefined) answerJson(visit.res, { success: true });
    else refuse(visit.res, { status: 400, code: 'invalid_order', message: problem });
  });
}

export function loadModel(edge: EdgeContext, visit: Visit): void {
  orderModel(edge, visit, (preset) =>
    edge.orders.load(preset) === 'already-running' ? 'model is already running' : undefined,
  );
}

export function unloadModel(edge: EdgeContext, visit: Visit): void {
  orderModel(edge, visit, (preset) =>
    edge.orders.unload(preset) === 'not-running' ? 'model is not running' : undefined,
  );
}
