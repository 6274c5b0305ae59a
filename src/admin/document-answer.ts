import type { AdminAnswer } from './admin-server.ts';

/** Answers with a JSON document. It is written when it is first asked for: hardly anybody asks. */
export function documentAnswer(write: () => string): AdminAnswer {
  let text: string | undefined;
  return (_query, response) => {
    text ??= write();
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);
  };
}
