import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { renderTar } from './tar.ts';
import type { TarEntry } from './tar.ts';

/** A file of an image: a copy of one of this machine, a text, or a link to another path. */
export type ImageFile =
  | { readonly from: string; readonly mode?: number }
  | { readonly text: string; readonly mode?: number }
  | { readonly linkTo: string };

/** An image of one layer. Paths are absolute. */
export interface ImageContent {
  readonly files: ReadonlyMap<string, ImageFile>;
  /** Folders that are there without files, or have other permissions than 0755. */
  readonly folders?: ReadonlyMap<string, number>;
  /** As the OCI image specification has it: `Entrypoint`, `User`, `WorkingDir`, `Env`, ... */
  readonly config: Readonly<Record<string, unknown>>;
}

interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly entry: TarEntry;
}

/**
 * Writes an image as an archive that `ctr images import`, `docker load` and `podman load` take: an OCI image layout, with
 * Docker's own list of contents beside it. The same content makes the same bytes. The archive appears when it is complete.
 */
export function writeOciImage(path: string, reference: string, content: ImageContent): void {
  const [layerDraft, draft] = [`${path}.${process.pid}.layer`, `${path}.${process.pid}.draft`];
  try {
    // Each file is read once: somebody may be editing it, and then its name, a digest, would be wrong.
    const written = writeParts(layerDraft, renderTar(layerEntries(content)));
    const layer = { ...written, entry: { kind: 'large', name: blobPath(written.digest), from: layerDraft } as const };
    writeParts(draft, renderTar(archiveEntries(reference, content.config, layer)));
    renameSync(draft, path);
  } finally {
    for (const file of [layerDraft, draft]) rmSync(file, { force: true });
  }
}

function writeParts(path: string, parts: Iterable<Uint8Array>): { readonly digest: string; readonly size: number } {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  let size = 0;
  try {
    for (const part of parts) {
      hash.update(part);
      size += writeSync(file, part);
    }
  } finally {
    closeSync(file);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function archiveEntries(reference: string, settings: ImageContent['config'], layer: Blob): readonly TarEntry[] {
  const config = jsonBlob({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'corral' }],
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...descriptor(config) },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...descriptor(layer) }],
  });
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  };
  const image = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...descriptor(manifest), annotations };
  const docker = [{ Config: blobPath(config.digest), RepoTags: [reference], Layers: [blobPath(layer.digest)] }];
  return [
    jsonEntry('oci-layout', { imageLayoutVersion: '1.0.0' }),
    jsonEntry('index.json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [image],
    }),
    jsonEntry('manifest.json', docker),
    { kind: 'folder', name: 'blobs', mode: 0o755 },
    { kind: 'folder', name: 'blobs/sha256', mode: 0o755 },
    ...[config, manifest, layer].map(({ entry }) => entry),
  ];
}

/** Parents before what is in them, all in the order of their names. */
function* layerEntries({ files, folders = new Map<string, number>() }: ImageContent): Generator<TarEntry> {
  const paths = new Set([...files.keys(), ...folders.keys()]);
  const parents = [...paths].flatMap(ancestorsOf);
  for (const path of [...new Set([...paths, ...parents])].sort()) {
    const file = files.get(path);
    const mode = folders.get(path);
    if (file !== undefined) yield layerEntry(path.slice(1), file);
    else yield { kind: 'folder', name: path.slice(1), mode: mode === undefined ? 0o755 : mode };
  }
}

function ancestorsOf(path: string): readonly string[] {
  const parent = posix.dirname(path);
  return parent === '/' ? [] : [...ancestorsOf(parent), parent];
}

function layerEntry(name: string, file: ImageFile): TarEntry {
  if ('linkTo' in file) return { kind: 'link', name, target: file.linkTo };
  const mode = file.mode === undefined ? 0o644 : file.mode;
  const read = (): Uint8Array => ('text' in file ? Buffer.from(file.text) : readFileSync(file.from));
  return { kind: 'file', name, mode, read };
}

function jsonBlob(value: unknown): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    digest,
    size: bytes.length,
    entry: { kind: 'file', name: blobPath(digest), mode: 0o644, read: () => bytes },
  };
}

const jsonEntry = (name: string, value: unknown): TarEntry => ({
  kind: 'file',
  name,
  mode: 0o644,
  read: () => Buffer.from(JSON.stringify(value)),
});
const descriptor = ({ digest, size }: Blob): object => ({ digest, size });
const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
