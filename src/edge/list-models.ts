import { assertNever } from '../domain/assert-never.ts';
import type { Phase, Route } from '../routing/route.ts';
import { answerJson, refuse } from './refusal.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** A model's status in the words of llama-server's router; `draining` and `reason` are ours. */
export interface ModelStatus {
  readonly value: 'unloaded' | 'loading' | 'loaded' | 'draining';
  readonly failed?: true;
  readonly exit_code?: number;
  readonly reason?: string;
}

/** One entry of the list, in the shape of llama-server's router, without its `args`: they may hold secrets and paths. */
export interface ListedModel {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly tags: readonly string[];
  readonly object: 'model';
  readonly owned_by: 'llamacpp';
  readonly created: number;
  readonly status: ModelStatus;
  readonly source: 'preset' | 'models_dir' | 'manifest';
}

/** GET /models: all that is declared. With a non-empty `reload`, the declarations are read again before. */
export async function listModels(edge: EdgeContext, visit: Visit): Promise<void> {
  const reload = new URLSearchParams(visit.query).get('reload');
  if (reload !== null && reload !== '') {
    const reloaded = await edge.orders.reload();
    if (!reloaded.ok) {
      const message = ['the reload failed, nothing has changed:', ...reloaded.problems].join('\n');
      refuse(visit.res, { status: 500, code: 'reload_failed', message });
      return;
    }
  }
  const data = edge.board.read().routes.map((route) => listed(route, edge.created));
  answerJson(visit.res, { object: 'list', data });
}

/** `created` in seconds since 1970. */
export const listed = ({ preset, phase }: Route, created: number): ListedModel => ({
  id: preset.model,
  aliases: preset.aliases,
  tags: preset.tags,
  object: 'model',
  owned_by: 'llamacpp',
  created,
  status: statusOf(phase),
  source: preset.origin.kind,
});

function statusOf(phase: Phase): ModelStatus {
  switch (phase.kind) {
    case 'unloaded':
      return { value: 'unloaded' };
    case 'waiting':
    case 'loading':
      return { value: 'loading' };
    case 'ready':
      return { value: 'loaded' };
    case 'draining':
    case 'stopping':
      return { value: 'draining' };
    case 'failed': {
      const exitCode = phase.exitCode === undefined ? {} : { exit_code: phase.exitCode };
      return { value: 'unloaded', failed: true, ...exitCode, reason: phase.reason };
    }
    default:
      return assertNever(phase);
  }
}
