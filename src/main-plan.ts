import { askPlan } from './cli/ask-plan.ts';
import type { PlanFlags } from './cli/plan-options.ts';
import { planText } from './cli/plan-text.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** `corral plan`: prints what would become of a request for a model, and returns the exit code. */
export async function runPlan(model: string, { url, apiKey, json }: PlanFlags): Promise<number> {
  const asked = await askPlan({ url, apiKey }, model);
  if (asked.kind === 'planned') {
    const lines = json === true ? [JSON.stringify(asked.plan)] : planText(asked.plan);
    process.stdout.write(`${lines.join('\n')}\n`);
    return EXIT_OK;
  }
  process.stderr.write(`corral plan: ${asked.message}\n`);
  return asked.kind === 'refused' ? EXIT_USAGE : EXIT_FAILED;
}
