/** What a stub answers, byte by byte, and which of its bytes are content. */
export interface AnswerScript {
  readonly head: Buffer;
  readonly body: Buffer;
  /** The body as the client is to get it, without the chunks' sizes. */
  readonly content: Buffer;
  /** How much of the content has been said by so many bytes of the body. */
  contentBefore(bytes: number): number;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: ';

/** An answer whose length is announced. */
export const scriptOfLength = (content: Buffer): AnswerScript => ({
  head: Buffer.from(`${HEAD}application/json\r\nContent-Length: ${content.length}\r\n\r\n`),
  body: content,
  content,
  contentBefore: (bytes) => bytes,
});

/** An answer in chunks, each with one of the parts of the content. */
export function scriptOfChunks(type: string, parts: readonly Buffer[]): AnswerScript {
  const chunks = parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  return {
    head: Buffer.from(`${HEAD}${type}\r\nTransfer-Encoding: chunked\r\n\r\n`),
    body: Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]),
    content: Buffer.concat(parts),
    contentBefore: (bytes) => {
      let [left, said] = [bytes, 0];
      for (const [index, piece] of chunks.entries()) {
        if (index % 3 === 1) said += Math.min(left, piece.length);
        left = Math.max(0, left - piece.length);
      }
      return said;
    },
  };
}

export const EVENT_STREAM = 'text/event-stream';
