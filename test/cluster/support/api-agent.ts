import { Agent } from 'undici';

/**
 * A way to an API server over HTTP/1.1. Of HTTP/2, which undici would take where it is offered, a stream that ends in an error after its
 * answer throws where nobody can catch it, which ends the process.
 */
export const apiAgent = (ca: string, more: Agent.Options = {}): Agent =>
  new Agent({ ...more, allowH2: false, connect: { ca } });
