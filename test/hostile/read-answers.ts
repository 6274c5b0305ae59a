/** One answer, as a strict reader of HTTP/1.1 sees it. */
export interface ReadAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** All answers on a connection that has ended, or `undefined` if the bytes are not just answers. Those of 1xx are left out. */
export function readAnswers(text: string): readonly ReadAnswer[] | undefined {
  const answers: ReadAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const [head, status] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n(?:[\w-]+: [^\r\n]*\r\n)*\r\n/.exec(rest) ?? [];
    if (head === undefined) return undefined;
    const behind = rest.slice(head.length);
    const body = status?.startsWith('1') === true ? '' : bodyBehind(head, behind);
    if (body === undefined) return undefined;
    rest = behind.slice(body.length);
    if (status?.startsWith('1') === false) answers.push({ status: Number(status), head, body });
  }
  return answers;
}

/** Nothing that is sent to a hostile client is chunked, so that this stays simple; answers to HEAD have no body. */
function bodyBehind(head: string, behind: string): string | undefined {
  const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
  if (length === undefined || behind.startsWith('HTTP/')) return '';
  return behind.length < Number(length) && behind !== '' ? undefined : behind.slice(0, Number(length));
}
