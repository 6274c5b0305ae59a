import http from 'node:http';
import { API_KEY } from './stage.ts';

/** Sends one request with a body and reads the answer. Throws unless it is 200. */
export async function postBody(port: number, body: Buffer): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` };
  const path = '/v1/chat/completions';
  const request = http.request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent: false });
  request.end(body);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  if (response.statusCode !== 200) throw new Error(`answered ${String(response.statusCode)}: ${text.slice(0, 300)}`);
}
