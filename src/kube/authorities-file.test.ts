import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { seconds } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import { startFakeApiServer, type FakeApiServer } from '../testing/fake-api-server.ts';
import { aPod, PODS } from '../testing/kube-testbed.ts';
import { EagerTimers, NEVER } from '../testing/manual-timers.ts';
import { NEW_AUTHORITY as NEW, OLD_AUTHORITY as OLD } from '../testing/test-authorities.ts';
import { startTlsFront, type TlsFront } from '../testing/tls-front.ts';
import { ApiUnreachable } from './kube-api.ts';
import { Reflector } from './reflector.ts';
import { createKubeApi, type KubeConnection } from './transport.ts';

const CHANGED = 'the certificate authorities have changed';
const UNREADABLE = 'the certificate authorities cannot be read; the last ones hold';
const NOT_FOLLOWED = 'objects could not be followed; trying again';

/** A server that the old authority has signed for, a client that trusts it, and what was logged, whole. */
interface TrustBed {
  readonly server: FakeApiServer;
  readonly front: TlsFront;
  readonly api: KubeConnection;
  readonly caFile: string;
  readonly log: WholeLog;
}

class WholeLog implements Log {
  readonly lines: { readonly message: string; readonly fields: object }[] = [];
  readonly #waiting: { readonly message: string; readonly resolve: () => void }[] = [];
  readonly error = this.#add.bind(this);
  readonly warn = this.#add.bind(this);
  readonly info = this.#add.bind(this);
  readonly debug = this.#add.bind(this);

  count(message: string): number {
    return this.lines.filter((line) => line.message === message).length;
  }

  /** Resolves when this is said from now on. */
  async next(message: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#waiting.push({ message, resolve: () => { resolve(undefined); } }); // prettier-ignore
    await promise;
  }

  #add(message: string, fields: object = {}): void {
    this.lines.push({ message, fields });
    for (const waiter of this.#waiting) if (waiter.message === message) waiter.resolve();
  }
}

async function aTrustBed(t: TestContext): Promise<TrustBed> {
  const server = await startFakeApiServer();
  const front = await startTlsFront(t, server.url, OLD);
  const dir = mkdtempSync(join(tmpdir(), 'corral-ca-'));
  const [caFile, log, timers] = [join(dir, 'ca.crt'), new WholeLog(), new EagerTimers(seconds(30))];
  writeFileSync(caFile, OLD.ca);
  const access = { server: front.url, caFile, tokenFile: undefined };
  const api = createKubeApi(access, { timers, log, callTimeout: NEVER });
  t.after(async () => {
    await api.close();
    await server.close();
    rmSync(dir, { recursive: true });
  });
  return { server, front, api, caFile, log };
}

/** Follows pods; `shows` resolves when one of this name is there. */
async function follow(t: TestContext, { api, log, server }: TrustBed): Promise<(name: string) => Promise<void>> {
  const waiting = new Map<string, () => void>();
  const look = (): void => {
    for (const { metadata } of reflector.objects()) waiting.get(metadata.name)?.();
  };
  const timers = new EagerTimers(seconds(30));
  const reflector = new Reflector({ api, resource: PODS, scope: {}, log, timers, onChange: look });
  t.after(async () => reflector.stop());
  await reflector.start();
  await server.until(() => server.watching('pods') === 1);
  return async (name) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    waiting.set(name, () => { resolve(undefined); }); // prettier-ignore
    look();
    await promise;
  };
}

const isDistrusted = (error: unknown): boolean =>
  error instanceof ApiUnreachable && error.message.includes('certificate');

test('the file has both authorities, then the server another certificate, then the file the new one: watches go on', async (t) => {
  const bed = await aTrustBed(t);
  const shows = await follow(t, bed);
  writeFileSync(bed.caFile, `${OLD.ca}\n${NEW.ca}`);
  await bed.front.endAll();
  bed.server.put(PODS, aPod('with-both'));
  await shows('with-both');
  bed.front.present(NEW);
  await bed.front.endAll();
  bed.server.put(PODS, aPod('with-the-new-certificate'));
  await shows('with-the-new-certificate');
  writeFileSync(bed.caFile, NEW.ca);
  await bed.front.endAll();
  bed.server.put(PODS, aPod('with-the-new-authority'));
  await shows('with-the-new-authority');
  assert.equal(bed.log.count(CHANGED), 2);
});

test('the file is replaced before the server has its new certificate: what is connected goes on, and the rest follows', async (t) => {
  const bed = await aTrustBed(t);
  const shows = await follow(t, bed);
  writeFileSync(bed.caFile, NEW.ca);
  bed.server.put(PODS, aPod('by-the-open-watch'));
  await shows('by-the-open-watch');
  const refused = bed.log.next(NOT_FOLLOWED);
  await bed.front.endAll();
  await refused;
  bed.front.present(NEW);
  bed.server.put(PODS, aPod('anew'));
  await shows('anew');
});

test('the server has its new certificate before the file is replaced: it is not trusted until then', async (t) => {
  const bed = await aTrustBed(t);
  const shows = await follow(t, bed);
  bed.front.present(NEW);
  const refused = bed.log.next(NOT_FOLLOWED);
  await bed.front.endAll();
  await refused;
  await assert.rejects(bed.api.list(PODS, {}), isDistrusted);
  bed.server.put(PODS, aPod('anew'));
  writeFileSync(bed.caFile, NEW.ca);
  await shows('anew');
  await bed.api.list(PODS, {});
});

test('an authority that is taken away is trusted no more, not even where the server would go on with an old session', async (t) => {
  const bed = await aTrustBed(t);
  await bed.api.list(PODS, {});
  writeFileSync(bed.caFile, NEW.ca);
  await bed.front.endAll();
  await assert.rejects(bed.api.list(PODS, {}), isDistrusted);
});

test('a file that is gone, or has no certificate in it, changes nothing, and is told once', async (t) => {
  const bed = await aTrustBed(t);
  await bed.api.list(PODS, {});
  const again = async (): Promise<void> => {
    await bed.front.endAll();
    await bed.api.list(PODS, {});
  };
  rmSync(bed.caFile);
  await again();
  for (const text of ['', 'no certificate', OLD.ca.slice(0, 200), OLD.ca.replace('MII', 'AAA')]) {
    writeFileSync(bed.caFile, text);
    await again();
  }
  assert.equal(bed.log.count(UNREADABLE), 1);
  writeFileSync(bed.caFile, OLD.ca);
  await again();
  rmSync(bed.caFile);
  await again();
  assert.equal(bed.log.count(UNREADABLE), 2);
  assert.equal(bed.log.count(CHANGED), 0);
});

test('what is no certificate is passed over beside one, wherever it stands', async (t) => {
  const bed = await aTrustBed(t);
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  writeFileSync(bed.caFile, `# ours\n${broken}${OLD.ca}${OLD.ca.slice(0, 200)}`);
  await bed.api.list(PODS, {});
});

test('at the start a file without a certificate is refused by its name', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'corral-ca-'));
  t.after(() => { rmSync(dir, { recursive: true }); }); // prettier-ignore
  const caFile = join(dir, 'ca.crt');
  const make = () =>
    createKubeApi(
      { server: new URL('https://127.0.0.1:1'), caFile, tokenFile: undefined },
      { timers: new EagerTimers(seconds(30)), log: new WholeLog() },
    );
  assert.throws(make, /ENOENT.*ca\.crt/u);
  writeFileSync(caFile, 'no certificate');
  assert.throws(make, (error: Error) => error.message === `${caFile}: there is no certificate (PEM) in it`);
});

test('neither the log nor an error has anything of a certificate or of the file', async (t) => {
  const bed = await aTrustBed(t);
  const shows = await follow(t, bed);
  writeFileSync(bed.caFile, NEW.ca);
  const refused = bed.log.next(NOT_FOLLOWED);
  await bed.front.endAll();
  await refused;
  const errors = await Promise.all([bed.api.list(PODS, {}), bed.api.list(PODS, {})].map(async (call) => call.then(() => undefined, String))); // prettier-ignore
  rmSync(bed.caFile);
  bed.front.present(NEW);
  bed.server.put(PODS, aPod('anew'));
  await shows('anew');
  const said = inspect([bed.log.lines, errors], { depth: Infinity });
  assert.match(said, /certificate/u);
  for (const { ca, cert } of [OLD, NEW])
    for (const line of `${ca}${cert}`.split('\n').filter((text) => text !== '')) assert.ok(!said.includes(line), line);
});
