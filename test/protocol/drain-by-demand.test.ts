import { describe } from 'node:test';
import { itHolds } from './it-holds.ts';
import { QUICK_BY_DEMAND } from './searches.ts';

describe('the drain protocol, with a planner that goes by demand', () => {
  for (const search of QUICK_BY_DEMAND) itHolds(search);
});
