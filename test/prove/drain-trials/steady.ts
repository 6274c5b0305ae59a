import { patienceFor } from './pace.ts';
import type { Play } from './play.ts';

export const steady: Play = {
  what: 'three edges',
  counts: 'evictions',
  play: async ({ evictions }, { runs }) => {
    await evictions.until(runs, patienceFor(runs));
    return [];
  },
};
