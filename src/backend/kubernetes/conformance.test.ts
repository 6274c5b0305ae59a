import type { TestContext } from 'node:test';
import type { PresetUid } from '../../domain/ids.ts';
import { describeBackend } from '../../testing/backend-conformance.ts';
import type { BackendUnderTest, PresetOptions } from '../../testing/backend-stage.ts';
import { startPodBed } from '../../testing/pod-bed.ts';
import { aPodSettings, presetOf, templateOf } from '../../testing/pod-settings.ts';
import type { PodTemplate } from './render-pod-template.ts';

/** The backend over a fake API server, with a stand-in for scheduler and kubelet. */
async function make(t: TestContext): Promise<BackendUnderTest> {
  const templates = new Map<PresetUid, PodTemplate>();
  const { backend, server, kubelet } = await startPodBed(t, { templates });
  const running = (): string[] =>
    kubelet
      .running()
      .map(({ metadata: { labels = {} } }) => String(labels['corral.dev/preset']))
      .toSorted();
  return {
    backend,
    preset: (name, { behaviour = 'ready', life = 1, variant = 1 }: PresetOptions = {}) => {
      const template = templateOf(
        aPodSettings({
          owner: { namespace: 'ml', name: 'chat', uid: `life-${life}` },
          preset: name,
          model: name,
          args: ['--ctx-size', String(1024 * variant)],
          env: [{ name: 'FAKE', value: behaviour }],
        }),
      );
      const preset = presetOf(template);
      templates.set(preset.uid, template);
      return preset;
    },
    running,
    untilRunning: async (...models) => server.until(() => running().join() === models.join()),
    release: ({ preset }) => {
      kubelet.release(preset);
    },
    crash: ({ id }) => {
      kubelet.crash(id);
    },
    holdEnds: () => kubelet.holdEnds(),
    deafen: async (how) => {
      const hold = server.hold({ verb: 'watch', plural: 'pods' });
      server.breakWatches('pods', 'fin');
      await server.until(() => hold.arrived > 0);
      return () => {
        if (how === 'lost') server.compact();
        hold.release();
      };
    },
  };
}

describeBackend({ name: 'kubernetes', canBeDeaf: true, make });
