/**
 * `--threads-http` of every llama-server that is given none: more than the edge opens connections to one server (see
 * `MAX_CONNECTIONS` in the edge). With its default of slots + 4, llama-server stalls keep-alive connections beyond that
 * number for seconds.
 */
export const HTTP_THREADS = '160';
