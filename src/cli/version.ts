import manifest from '../../package.json' with { type: 'json' };

/** Corral's version, from its package.json. It is part of the bundle, which may lie anywhere. */
export const readVersion = (): string => manifest.version;
