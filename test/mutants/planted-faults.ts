import { FAULTS_OF_DRAIN } from './faults-of-drain.ts';
import { FAULTS_OF_ROOM } from './faults-of-room.ts';
import { FAULTS_OF_TURN } from './faults-of-turn.ts';
import type { PlantedFault } from './planted-fault.ts';

/** Faults that somebody could make. Each must be found by a test: one that survives is a missing property. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [...FAULTS_OF_ROOM, ...FAULTS_OF_TURN, ...FAULTS_OF_DRAIN];
