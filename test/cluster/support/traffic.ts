import { ask, contentOf } from './edge-client.ts';

const CLIENTS = 3;
/** Enough for requests to be in flight at any moment. */
const TOKENS = 100;

/** Clients of one model that ask one after the other until they are stopped. */
export interface Traffic {
  /** Resolves with all that was said. Rejects if a request was not answered as it should be. */
  readonly stop: () => Promise<readonly string[]>;
}

/** `edge`: its URL, or that of the one to which the next request is to be sent. */
export function startTraffic(edge: string | (() => Promise<string>), model: string, tokens = TOKENS): Traffic {
  let stopped = false;
  const client = async (): Promise<readonly string[]> => {
    const said: string[] = [];
    while (!stopped) said.push(contentOf(await ask(typeof edge === 'string' ? edge : await edge(), model, tokens)));
    return said;
  };
  const clients = Array.from({ length: CLIENTS }, client);
  for (const one of clients) {
    one.catch(() => {
      stopped = true;
    });
  }
  return {
    stop: async () => {
      stopped = true;
      return (await Promise.all(clients)).flat();
    },
  };
}
