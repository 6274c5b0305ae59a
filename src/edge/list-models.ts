import type { Route } from '../routing/route.ts';
import { guarded } from './guarded.ts';
import { othersIn, statusOf, type ModelStatus, type Others } from './model-status.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import { shuttingDown } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** One entry of the list, in the shape of llama-server's router, without its `args`: they may hold secrets and paths. */
export interface ListedModel {
  readonly id: string;
  /** All its other names, those of variants last. */
  readonly aliases: readonly string[];
  readonly tags: readonly string[];
  readonly object: 'model';
  readonly owned_by: 'llamacpp';
  readonly created: number;
  readonly status: ModelStatus;
  readonly source: 'preset' | 'models_dir' | 'manifest';
}

/** Whether the declarations are to be read again before they are listed. */
export function asksForReload(query: string): boolean {
  const reload = new URLSearchParams(query).get('reload');
  return reload !== null && reload !== '';
}

/** GET /models: all that is declared and that the key may see. With a non-empty `reload`, the declarations are read again before. */
export function listModels(edge: EdgeContext, visit: Visit): void {
  if (!asksForReload(visit.query)) {
    answerList(edge, visit);
    return;
  }
  guarded(edge, visit, async () => {
    const reloaded = await edge.orders.reload();
    if (reloaded === 'ended') refuse(visit.res, shuttingDown);
    else if (reloaded.ok) answerList(edge, visit);
    else refuse(visit.res, reloadFailed(visit.access.seesAll ? reloaded.problems : ['what is wrong is in the log']));
  });
}

function answerList(edge: EdgeContext, visit: Visit): void {
  const table = edge.board.read();
  const visible = table.routes.filter(({ preset }) => visit.access.sees(preset.model));
  const others = othersIn(table, visit.access);
  const data = visible.map((route) => listed(route, others, edge.created));
  answerJson(visit.res, { object: 'list', data });
}

/** The problems tell of all models, and have their names. */
const reloadFailed = (problems: readonly string[]): Refusal => ({
  status: 500,
  code: 'reload_failed',
  message: ['the reload failed, nothing has changed:', ...problems].join('\n'),
});

/** `created` in seconds since 1970. */
export const listed = (route: Route, others: Others, created: number): ListedModel => ({
  id: route.preset.model,
  aliases: [...route.preset.aliases, ...route.preset.variants.map(({ name }) => name)],
  tags: route.preset.tags,
  object: 'model',
  owned_by: 'llamacpp',
  created,
  status: statusOf(route, others),
  source: route.preset.origin.kind,
});
