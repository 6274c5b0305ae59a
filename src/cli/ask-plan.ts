import Type from 'typebox';
import { Value } from 'typebox/value';
import { request } from 'undici';
import { parseJson } from '../domain/json.ts';
import { PLAN_PATH } from '../edge/endpoints.ts';
import type { ModelPlan } from '../routing/model-plan.ts';

/** To plan takes milliseconds: whoever has not answered by then will not. */
const TIMEOUT_MS = 10_000;
/** Far more than an answer has. */
const MAX_ANSWER = 4 * 2 ** 20;

const Seconds = Type.Number({ minimum: 0 });
const About = { model: Type.String(), pool: Type.String(), message: Type.String() };
const Leaver = Type.Object({
  model: Type.Optional(Type.String()),
  replica: Type.Optional(Type.String()),
  cause: Type.String(),
  idle_seconds: Type.Optional(Seconds),
});
const PlanSchema = Type.Union([
  Type.Object({ ...About, outcome: Type.Enum(['ready', 'loading', 'returns']) }),
  Type.Object({ ...About, outcome: Type.Literal('starts'), bin: Type.String() }),
  Type.Object({
    ...About,
    outcome: Type.Enum(['waits', 'refused']),
    reason: Type.String(),
    position: Type.Optional(Type.Integer({ minimum: 1 })),
    until_seconds: Type.Optional(Seconds),
    holders: Type.Array(Type.String()),
    leaving: Type.Array(Leaver),
  }),
]);
const ErrorSchema = Type.Object({ error: Type.Object({ message: Type.String(), code: Type.String() }) });

/** What came of asking; a `message` is one sentence. */
export type AskedPlan =
  | { readonly kind: 'planned'; readonly plan: ModelPlan }
  /** It was Corral, and what it was asked for makes no sense. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Who is asked, and with which key. */
export interface Asked {
  readonly url: string;
  readonly apiKey?: string | undefined;
}

/** Asks a Corral what would become of a request for a model. Throws nothing. */
export async function askPlan({ url, apiKey }: Asked, model: string, timeout = TIMEOUT_MS): Promise<AskedPlan> {
  try {
    const signal = AbortSignal.timeout(timeout);
    const query = new URLSearchParams({ model }).toString();
    const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const { statusCode, body } = await request(`${url}${PLAN_PATH}?${query}`, { signal, headers, reset: true });
    body.setEncoding('utf8');
    let text = '';
    for await (const part of body) {
      text += String(part);
      if (text.length > MAX_ANSWER) return noCorral(url, statusCode);
    }
    return readAnswer(url, statusCode, text);
  } catch (error) {
    return { kind: 'failed', message: `${url} cannot be asked: ${reasonOf(error)}. Name another with --url.` };
  }
}

function readAnswer(url: string, status: number, text: string): AskedPlan {
  const answer = parseJson(text);
  if (status === 200 && Value.Check(PlanSchema, answer)) return { kind: 'planned', plan: answer };
  if (status === 200 || !Value.Check(ErrorSchema, answer)) return noCorral(url, status);
  const { code, message } = answer.error;
  if (code === 'model_not_found' || code === 'invalid_model') return { kind: 'refused', message };
  const fix = code === 'invalid_api_key' ? '. Give one with --api-key or CORRAL_API_KEY.' : '';
  return { kind: 'failed', message: `${url} answers ${status} ${code}: ${message}${fix}` };
}

const noCorral = (url: string, status: number): AskedPlan => ({
  kind: 'failed',
  message: `${url} does not answer as a Corral of this version does (status ${status}). Name another with --url.`,
});

/** Of several addresses of one host each has its own error, and the whole has none. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.name === 'TimeoutError' ? 'no answer in time' : error.message;
}
