import { join } from 'node:path';
import { writeOciImage } from '../../../../scripts/oci-image.ts';
import type { ImageContent } from '../../../../scripts/oci-image.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import type { Cleanup } from '../../../support/temp-folder.ts';
import { modelFolder } from '../model-folder.ts';
import type { TestCluster } from '../test-cluster.ts';

const REFERENCE = 'corral.test/models:v1';
const FILES = ['a.gguf', 'adapter.gguf'];

/** Gives all nodes an image with files of `modelFolder` in its folder `models`, and nothing else; returns its name. */
export async function loadModelImage(t: Cleanup, cluster: TestCluster): Promise<string> {
  const archive = join(await tempFolder(t), 'models.tar');
  writeOciImage(archive, REFERENCE, contentOf(await modelFolder()));
  await cluster.loadImage(archive, REFERENCE);
  return REFERENCE;
}

const contentOf = (folder: string): ImageContent => ({
  files: new Map(FILES.map((name) => [`/models/${name}`, { from: join(folder, name) }])),
  config: {},
});
