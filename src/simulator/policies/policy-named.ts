import { assertNever } from '../../domain/assert-never.ts';
import type { PolicyName } from '../outcome.ts';
import type { Scenario } from '../scenario.ts';
import { clairvoyantPolicy } from './clairvoyant-policy.ts';
import { CorralPolicy } from './corral-policy.ts';
import { keepAlivePolicy } from './keep-alive-policy.ts';
import { LlamaRouterPolicy } from './llama-router-policy.ts';
import { LlamaSwapPolicy } from './llama-swap-policy.ts';
import type { Policy } from './policy.ts';

/** A fresh policy, which has seen nothing yet. Only the clairvoyant one looks at the trace. */
export function policyNamed(name: PolicyName, { models, pool, trace }: Scenario): Policy {
  switch (name) {
    case 'corral':
    case 'corral-by-size':
      return new CorralPolicy();
    case 'llama-router':
      return new LlamaRouterPolicy(pool, models);
    case 'llama-swap':
      return new LlamaSwapPolicy();
    case 'keep-alive':
      return keepAlivePolicy();
    case 'clairvoyant':
      return clairvoyantPolicy(trace, models);
    default:
      return assertNever(name);
  }
}
