import type http from 'node:http';
import { headOf, send } from '../../../src/testing/http-kit.ts';
import { API_KEY } from './stage.ts';

/** Sends a chat on a connection of its own, and resolves when the head of its answer has come. Throws unless that is 200. */
export async function postChat(port: number, body: string | Buffer): Promise<http.IncomingMessage> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` };
  const response = await headOf(send({ port }, { headers, body }));
  if (response.statusCode === 200) return response;
  const text = await readText(response);
  throw new Error(`answered ${String(response.statusCode)}: ${text.slice(0, 300)}`);
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return text;
}

/** The same, and reads the answer to its end. */
export async function postBody(port: number, body: Buffer): Promise<void> {
  await readText(await postChat(port, body));
}
