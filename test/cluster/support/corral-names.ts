/** The namespace that Corral itself runs in. */
export const SYSTEM = 'corral-system';
/** Where the API server has Corral's kinds. */
export const GROUP = '/apis/corral.dev/v1alpha1';

/** Who runs as part of Corral. */
export type Component = 'operator' | 'edge';
export const COMPONENTS: readonly Component[] = ['operator', 'edge'];
