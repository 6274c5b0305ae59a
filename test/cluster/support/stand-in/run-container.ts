import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../run.ts';
import type { StartedProcesses } from '../started-processes.ts';
import type { PodPlace } from './pod-surroundings.ts';
import { CREDENTIALS, placeVolumes, resolveEnv } from './pod-surroundings.ts';
import { renderProcess } from './render-process.ts';
import type { RenderedProcess } from './render-process.ts';
import type { ContainerState } from './render-status.ts';
import type { StandInContainer } from './stand-in-pod.ts';

/** What is run in place of an image: its entrypoint on this machine, and arguments that it needs here. */
export interface StandInImage {
  readonly entrypoint: readonly string[];
  /** Given where the credentials of the pod's service account lie, if it has any. */
  readonly moreArgs: (place: PodPlace, credentials: string | undefined) => readonly string[];
}

export type StandInImages = ReadonlyMap<string, StandInImage>;

/** Under which a container's process is recorded, and its log kept. */
export const processName = (podUid: string, container: string): string => `pod-${podUid}-${container}`;

interface Running {
  readonly child: ChildProcess;
  readonly rendered: RenderedProcess;
  readonly startedAt: string;
  /** Resolves when the process is gone. */
  readonly exited: Promise<unknown>;
}

/** A container of a pod, run as a process of this machine. */
export class ContainerRun {
  readonly #place: PodPlace;
  readonly #container: StandInContainer;
  readonly #processes: StartedProcesses;
  readonly #onChange: () => void;
  #state: ContainerState = { kind: 'waiting', reason: 'ContainerCreating', message: '' };
  #restarts = 0;
  #running: Running | undefined;
  #ending = false;

  constructor(place: PodPlace, container: StandInContainer, processes: StartedProcesses, onChange: () => void) {
    this.#place = place;
    this.#container = container;
    this.#processes = processes;
    this.#onChange = onChange;
  }

  get state(): ContainerState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Starts it; what stands in the way becomes its state. */
  async start(images: StandInImages): Promise<void> {
    const image = images.get(this.#container.image);
    if (image === undefined) {
      this.#become({
        kind: 'waiting',
        reason: 'ErrImagePull',
        message: `the stand-in has no image ${this.#container.image}`,
      });
      return;
    }
    await this.#tryLaunch(image);
  }

  async #tryLaunch(image: StandInImage): Promise<void> {
    try {
      await this.#launch(image);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#become({ kind: 'waiting', reason: 'CreateContainerConfigError', message });
    }
  }

  async #launch(image: StandInImage): Promise<void> {
    const mounts = await placeVolumes(this.#place, this.#container);
    const env = await resolveEnv(this.#place, this.#container);
    const { podIp } = this.#place;
    const rendered = renderProcess(this.#container, { entrypoint: image.entrypoint, env, mounts, podIp });
    if (this.#ending) return;
    const [program, ...args] = [...rendered.argv, ...image.moreArgs(this.#place, mounts.get(CREDENTIALS))];
    if (program === undefined) throw new Error('there is nothing to run');
    const startedAt = new Date().toISOString();
    const child = this.#processes.start(this.#name, [program, ...args], Object.fromEntries(rendered.env));
    const running = { child, rendered, startedAt, exited: once(child, 'exit') };
    this.#running = running;
    this.#become({ kind: 'running', startedAt, ready: this.#container.readinessProbe === undefined });
    void running.exited.then(async () => this.#afterExit(running, image));
    void this.#probe(running);
  }

  get #name(): string {
    return processName(this.#place.pod.metadata.uid, this.#container.name);
  }

  async #afterExit({ child, startedAt }: Running, image: StandInImage): Promise<void> {
    this.#running = undefined;
    const exitCode = child.exitCode ?? 137;
    // As with `terminationMessagePolicy: FallbackToLogsOnError`.
    const message = exitCode === 0 ? '' : this.#processes.lastLines(this.#name, 80).slice(-2048);
    this.#become({ kind: 'terminated', startedAt, finishedAt: new Date().toISOString(), exitCode, message });
    if (this.#ending || this.#place.pod.spec.restartPolicy === 'Never') return;
    await delay(1000, undefined, { ref: false });
    this.#restarts += 1;
    await this.#tryLaunch(image);
  }

  /** Asks again and again, as a kubelet does, as long as the process lives. */
  async #probe(running: Running): Promise<void> {
    const probe = this.#container.readinessProbe;
    if (probe === undefined) return;
    while (this.#running === running) {
      const ready = probe.httpGet === undefined || (await this.#answers(probe.httpGet, probe.timeoutSeconds ?? 1));
      if (this.#running === running) this.#become({ kind: 'running', startedAt: running.startedAt, ready });
      await delay((probe.periodSeconds ?? 10) * 1000, undefined, { ref: false });
    }
  }

  async #answers(get: { readonly path?: string; readonly port: number | string }, timeout: number): Promise<boolean> {
    const named = (this.#container.ports ?? []).find(({ name }) => name === get.port)?.containerPort;
    const url = `http://${this.#place.podIp}:${named ?? get.port}${get.path ?? '/'}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeout * 1000) }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  }

  /** preStop, SIGTERM, and SIGKILL when the grace period is over. Resolves when the process is gone. */
  async end(graceSeconds: number): Promise<void> {
    this.#ending = true;
    const running = this.#running;
    if (running === undefined) return;
    const over = AbortSignal.timeout(graceSeconds * 1000);
    const kill = (): void => void running.child.kill('SIGKILL');
    over.addEventListener('abort', kill, { once: true });
    await Promise.race([this.#preStop(running), once(over, 'abort')]);
    running.child.kill('SIGTERM');
    await running.exited;
    over.removeEventListener('abort', kill);
  }

  async #preStop({ rendered, exited }: Running): Promise<void> {
    const hook = this.#container.lifecycle?.preStop;
    if (hook?.sleep !== undefined) await Promise.race([delay(hook.sleep.seconds * 1000), exited]);
    if (hook?.exec === undefined) return;
    const env = { ...process.env, ...Object.fromEntries(rendered.env) };
    const [program, ...args] = hook.exec.command;
    // As with a kubelet, a hook that fails does not keep the container.
    if (program !== undefined) await run([program, ...args], { env }).catch(() => undefined);
  }

  #become(state: ContainerState): void {
    const same = JSON.stringify(state) === JSON.stringify(this.#state);
    this.#state = state;
    if (!same) this.#onChange();
  }
}
