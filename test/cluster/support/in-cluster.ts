import type { TestContext } from 'node:test';
import { assertNothingForbidden } from './audit.ts';
import { Scene } from './scene.ts';
import { withCorral } from './with-corral.ts';

/**
 * A test in a namespace of its own, in a cluster in which Corral runs. Afterwards
 * nothing of Corral may have tried what it may not do. If it fails, what the cluster and Corral's logs say
 * is printed.
 */
export const inCluster =
  (work: (scene: Scene) => Promise<void>, labels: Readonly<Record<string, string>> = {}) =>
  async (t: TestContext): Promise<void> => {
    const corral = await withCorral();
    const namespace = await corral.namespace(labels);
    const { url } = await corral.edge();
    const scene = new Scene(t, corral, namespace, url);
    try {
      await work(scene);
      await assertNothingForbidden(corral.cluster);
    } catch (error) {
      process.stderr.write(`${t.fullName}:\n${scene.pods.describe()}\n${await corral.describeSystem()}\n`);
      throw error;
    } finally {
      await corral.clear(namespace);
    }
  };
