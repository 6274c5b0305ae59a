import type { ApiFamily } from './endpoints.ts';
import { errorOf, type Refusal } from './refusal.ts';

/** How an API writes what is no part of a model's answer into its event stream. */
export interface EventDialect {
  /** A sign of life that says nothing. */
  readonly heartbeat: string;
  /** The last event of a stream that does not come to its regular end. */
  readonly error: (refusal: Refusal) => string;
}

/** OpenAI's, and llama-server's own: a comment is no event at all (WHATWG HTML section 9.2.6), and clients pass over it. */
export const OPENAI_EVENTS: EventDialect = {
  heartbeat: ': waiting\n\n',
  error: (refusal) => `data: ${JSON.stringify({ error: errorOf(refusal) })}\n\n`,
};

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming: "ping events" and "error events". */
const ANTHROPIC_EVENTS: EventDialect = {
  heartbeat: 'event: ping\ndata: {"type":"ping"}\n\n',
  error: (refusal) => `event: error\ndata: ${JSON.stringify({ type: 'error', error: anthropicError(refusal) })}\n\n`,
};

const anthropicError = ({ status, code, message }: Refusal): object => ({ type: anthropicType(status), message, code });

/** https://docs.anthropic.com/en/api/errors: the types of its errors by HTTP status. */
function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 503:
      return 'overloaded_error';
    case 504:
      return 'timeout_error';
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error';
  }
}

/** How the streams of an API are written. */
export const eventsOf = (api: ApiFamily): EventDialect => (api === 'anthropic' ? ANTHROPIC_EVENTS : OPENAI_EVENTS);
