/** With one of these in its environment llama-server would speak TLS. */
const ASKS_FOR_TLS = ['LLAMA_ARG_SSL_KEY_FILE', 'LLAMA_ARG_SSL_CERT_FILE'];

/**
 * Why Corral cannot take llama-server's place in this environment, in one sentence; `undefined`: it can. Clients that count on TLS would
 * send their keys and prompts in the clear. An empty variable is none.
 */
export function tlsProblem(env: NodeJS.ProcessEnv): string | undefined {
  const name = ASKS_FOR_TLS.find((one) => env[one] !== undefined && env[one] !== '');
  return name === undefined
    ? undefined
    : `${name} is set, and Corral speaks no TLS: unset it, and let a proxy in front of Corral end TLS`;
}
