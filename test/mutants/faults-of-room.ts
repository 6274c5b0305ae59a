import { planner, type PlantedFault } from './planted-fault.ts';

/** Who leaves, and what fits. */
export const FAULTS_OF_ROOM: readonly PlantedFault[] = [
  // Who leaves.
  planner('candidates', 'the most recently used leaves first', 'return a.rank - b.rank;', 'return b.rank - a.rank;'),
  planner(
    'candidates',
    'the higher priority leaves first',
    'return a.priority - b.priority;',
    'return b.priority - a.priority;',
  ),
  planner(
    'candidates',
    'surplus replicas get no preference',
    "return a.kind === 'surplus' ? -1 : b.kind === 'surplus' ? 1 : byRest(a, b);",
    'return byRest(a, b);',
  ),
  planner(
    'candidates',
    'ties between victims are not broken by name',
    'if (a.preset.model !== b.preset.model) return a.preset.model < b.preset.model ? -1 : 1;',
    '',
  ),
  planner(
    'candidates',
    'unknown activity is read as idle',
    "if (here === undefined || known === undefined || known.kind === 'unknown') return 'unknown';",
    "if (here === undefined || known === undefined || known.kind === 'unknown') return 'idle';",
  ),
  planner('candidates', 'minReplicas protects nobody', 'if (place >= peers.length - minReplicas) return needed;', ''),
  planner(
    'candidates',
    'minReplicas protects also in a pool that the preset has left',
    "isAtHome(replica, preset) ? 'protected' : 'busy'",
    "'protected'",
  ),
  planner(
    'candidates',
    'a priority protects also in a pool that the preset has left',
    'isAtHome(replica, preset) ? preset.priority : -Infinity',
    'preset.priority',
  ),
  planner('candidates', 'what is wanted may be evicted', "if (!isWantedByNobody(preset, look)) return 'busy';", ''),
  planner(
    'candidates',
    'a surplus replica may be evicted while it is in use',
    "if (here === 0 && place < peers.length - Math.max(1, minReplicas)) return 'surplus';",
    "if (place < peers.length - Math.max(1, minReplicas)) return 'surplus';",
  ),
  planner(
    'candidates',
    'the last replica counts as surplus',
    'place < peers.length - Math.max(1, minReplicas)',
    'place < peers.length - minReplicas',
  ),
  planner(
    'candidates',
    'minResidency is forgotten',
    'mayLeaveFrom: after(state.since, pool.minResidency),',
    'mayLeaveFrom: state.since,',
  ),
  planner(
    'candidates',
    'fairness does not let a load pay for itself',
    'Math.max(pool.minResidency, state.loadTime ?? 0, owed)',
    'Math.max(pool.minResidency, owed)',
  ),
  planner(
    'candidates',
    'fairness takes what is ready before those are served who have waited for it',
    'Math.max(pool.minResidency, state.loadTime ?? 0, owed)',
    'Math.max(pool.minResidency, state.loadTime ?? 0)',
  ),
  planner(
    'candidates',
    'whoever waits protects a replica that was ready before',
    'asking !== undefined && asking.since < ready',
    'asking !== undefined',
  ),
  planner(
    'candidates',
    'who has served shortest leaves first for fairness',
    'byName(a, b) : a.state.since - b.state.since;',
    'byName(a, b) : b.state.since - a.state.since;',
  ),
  planner(
    'retire',
    'idle since the load instead of the last use',
    'return later(activity.since, replica.state.since);',
    'return replica.state.since;',
  ),
  planner(
    'retire',
    'a replica with requests in flight counts as idle',
    'if (input.inFlight.get(replica.id) !== 0) return undefined;',
    '',
  ),
  planner(
    'choose-victims',
    'victims that are not needed leave as well',
    'if (isEnough(taken)) return spare(taken, isEnough);',
    'if (isEnough(taken)) return taken;',
  ),
  planner(
    'choose-victims',
    'the longest idle is spared first',
    'taken.slice(0, -1).toReversed()',
    'taken.slice(0, -1)',
  ),
  planner(
    'grant',
    'of several bins the first is taken, not that of the longest idle',
    'compare(b, a) < 0 ? set : best',
    'compare(b, a) < 0 ? best : best',
  ),
  planner(
    'grant',
    'a victim may be younger than minResidency',
    'return mayLeaveFrom <= look.input.now;',
    'return true;',
  ),

  // What fits.
  planner(
    'space',
    'only the first resource of a footprint is looked at',
    'for (const [name, amount] of need) {\n      if (amount > 0 && (',
    'for (const [name, amount] of [...need].slice(0, 1)) {\n      if (amount > 0 && (',
  ),
  planner(
    'space',
    'a resource that a bin does not have is not limited',
    '(!this.size.has(name) || this.shortage(name, amount, level, more) > 0)',
    '(this.size.has(name) && this.shortage(name, amount, level, more) > 0)',
  ),
  planner(
    'room',
    'a replica whose bin nobody knows counts nowhere',
    'if (bin === undefined) return this.bins;',
    'if (bin === undefined) return [];',
  ),
  planner('room', 'maxLoaded is ignored', "if (!this.#slots.has(ONE, 'free')) return undefined;", ''),
  planner('room', 'a start takes nothing of the bin', '    bin.occupy(preset.footprint);\n', ''),
  planner(
    'room',
    'what leaves is free at once',
    '    this.#slots.occupy(ONE);\n    if (!this.#draft.isStaying(replica)) this.#leave',
    '    if (!this.#draft.isStaying(replica)) return;\n    this.#slots.occupy(ONE);\n    if (!this.#draft.isStaying(replica)) this.#leave',
  ),
  planner(
    'room',
    'the fullest bin is passed over',
    'bin.leftover(need) < best.leftover(need)',
    'bin.leftover(need) > best.leftover(need)',
  ),
  planner('room', 'learned limits never end', ' && limit.until > look.input.now);', ');'),
  planner(
    'bin-room',
    'learned limits are ignored',
    'if (this.#isRefused(need, level, more, this.#heldNeeds)) return false;',
    '',
  ),
  planner(
    'bin-room',
    'what others leave for one that was refused goes to a smaller one',
    'return !this.#isInTheWay(need, more);',
    'return true;',
  ),
  planner(
    'grant',
    'a second set of victims leaves in one back-off',
    'limit.preset === preset.uid && limit.spent',
    'limit.preset === preset.uid && !limit.spent && limit.spent',
  ),
  planner(
    'bin-room',
    'what is too large for every bin still evicts',
    'return couldHold(this.bin, need);',
    'return need.size >= 0;',
  ),
  planner(
    'scale',
    'one replica more than maxReplicas and one may run',
    'return held + draft.countStarts(preset) > preset.scaling.maxReplicas;',
    'return held + draft.countStarts(preset) > preset.scaling.maxReplicas + 1;',
  ),
];
