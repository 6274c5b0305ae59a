import { victimRemoved } from './seed-races.ts';
import { trySeedRace } from './support/try-seed-race.ts';

trySeedRace(victimRemoved);
