import { activity, planner, type PlantedFault } from './planted-fault.ts';

/** Whose turn it is, when, what goes and what comes back; and what was counted. */
export const FAULTS_OF_TURN: readonly PlantedFault[] = [
  // Whose turn it is.
  planner(
    'wishes',
    'the lower priority goes first',
    'return b.preset.priority - a.preset.priority;',
    'return a.preset.priority - b.preset.priority;',
  ),
  planner('wishes', 'the youngest goes first', 'return a.since - b.since;', 'return b.since - a.since;'),
  planner(
    'wishes',
    'ties between wishes are not broken by name',
    'return a.preset.model < b.preset.model ? -1 : 1;',
    'return 0;',
  ),
  planner(
    'wishes',
    'a back-off holds nobody up',
    'if (backOff !== undefined && backOff.until > look.input.now) {',
    'if (backOff !== undefined && backOff.until > look.input.now && look.input.now < 0) {',
  ),
  planner('wishes', 'a paused pool starts models', "if (pool.paused) return { kind: 'PoolPaused', pool: name };", ''),
  planner(
    'wishes',
    'requests load what only an order may load',
    "if (wantedSince(preset, countStaying(preset, look, draft), look) === undefined) return { kind: 'AutoloadOff' };",
    '',
  ),
  planner(
    'wanted',
    'autoload is ignored',
    'const asked = scaling.autoload ? demand.get(uid) : undefined;',
    'const asked = demand.get(uid);',
  ),

  // Fairness and what is kept.
  planner(
    'wishes',
    'nobody is ever over-age',
    'pool.fairAfter > 0 && after(since, pool.fairAfter) <= look.input.now',
    'pool.fairAfter > 0 && after(since, pool.fairAfter) <= look.input.now && look.input.now < 0',
  ),
  planner(
    'grant',
    'fairness drains a higher priority',
    "if (kind === 'unknown' || kind === 'protected' || candidate.priority > priority) return false;",
    "if (kind === 'unknown' || kind === 'protected') return false;",
  ),
  planner(
    'grant',
    'fairness drains what nobody knows',
    "if (kind === 'unknown' || kind === 'protected' || candidate",
    "if (kind === 'protected' || candidate",
  ),
  planner(
    'grant',
    'a reservation is forgotten by the next plan',
    'if (wasReserved && kept !== undefined) draft.reservations.set(preset.uid, kept);',
    '',
  ),
  planner(
    'grant',
    'a second replica in one plan inherits the reservation of the first',
    'look.input.reservations.has(preset.uid) && draft.countStarts(preset) === 0;',
    'look.input.reservations.has(preset.uid);',
  ),
  planner('grant', 'younger ones with a reservation overtake older ones', '  room.letPass(wish);\n', ''),
  planner('plan', 'a reservation is not kept from others', 'if (bin !== undefined) room.reserve(wish, bin);', ''),
  planner(
    'reservations',
    'reservations do not survive a restart',
    'return isServed ? [] : [[beneficiary.uid, bin]];',
    'return isServed || !isServed ? [] : [[beneficiary.uid, bin]];',
  ),
  planner(
    'reservations',
    'what is served has room reserved after a restart',
    'return isServed ? [] : [[beneficiary.uid, bin]];',
    'return isServed && declared.size === 0 ? [] : [[beneficiary.uid, bin]];',
  ),
  planner(
    'room',
    'room that is waited for is not kept',
    '    this.#kept.set(uid, { bin, inBin, inPool });\n',
    '    this.#kept.set(uid, { bin, inBin, inPool });\n    this.giveBack(uid);\n',
  ),
  planner(
    'grant',
    'an over-age wish keeps nothing',
    'const nearest = wish.isOverAge ? room.nearest(wish.preset) : undefined;',
    'const nearest = wish.isOverAge && wish.since < 0 ? room.nearest(wish.preset) : undefined;',
  ),

  // When.
  planner('draft', 'wakeAt is the latest moment, not the earliest', 'at < this.#wakeAt)', 'at > this.#wakeAt)'),
  planner(
    'grant',
    'nobody wakes when fairness is due',
    'if (room.pool.fairAfter > 0) draft.wake(after(wish.since, room.pool.fairAfter));',
    '',
  ),
  planner('retire', 'nobody wakes when an idle timeout ends', '    draft.wake(end);\n', ''),
  planner('wishes', 'nobody wakes when a back-off ends', '    draft.wake(backOff.until);\n', ''),
  planner('grant', 'nobody wakes when a resident is old enough', '    draft.wake(mayLeaveFrom);\n', ''),

  // What goes and what comes back.
  planner('plan', 'what drains is stopped while it is in use', ' && input.inFlight.get(id) === 0,', ','),
  planner(
    'retire',
    'one above minReplicas too many goes for being idle',
    'let spare = ready.length - minReplicas;',
    'let spare = ready.length;',
  ),
  planner(
    'retire',
    'what is wanted goes for being idle',
    ' || !isWantedByNobody(preset, look)) continue;',
    ') continue;',
  ),
  planner(
    'retire',
    'a removed preset keeps its replica',
    "if (preset === undefined) return { kind: 'removed' };",
    'if (preset === undefined) return undefined;',
  ),
  planner(
    'take-back',
    'use takes no drain for idleness back',
    '(isWanted || isUsedAgain(replica, preset, look))',
    'isWanted',
  ),
  planner(
    'take-back',
    'use takes a drain back for whose room somebody waits',
    'other.pool === preset.pool && lacks(other, look)',
    'other.pool === preset.pool && look.pools.size < 0',
  ),
  planner(
    'take-back',
    'a fairness drain is taken back',
    "if (cause.kind !== 'evicted') return HARMLESS.has(cause.kind);",
    "if (cause.kind !== 'evicted') return true;",
  ),
  planner(
    'take-back',
    'an eviction is taken back however long its beneficiary has waited',
    'after(since, fairAfter) > look.input.now;',
    'since >= 0;',
  ),
  planner(
    'extras',
    'scale-out takes what a waiting preset could use',
    'const spare = room.bins.filter((bin) => room.isSpare(bin, waiting));',
    'const spare = room.bins.filter((bin) => room.isSpare(bin, waiting.slice(0, 0)));',
  ),
  planner('scale', 'a peak of less than a minute is enough', 'after(peak.since, PEAK_MEMORY)', 'peak.since'),
  planner(
    'scale',
    'load that just fits is too much',
    'Math.ceil(inFlight / targetInFlight)',
    'Math.ceil((inFlight + 1) / targetInFlight)',
  ),

  // The ledger.
  activity(
    'create-ledger',
    'a look-up inserts',
    'find: (uid) => accounts.get(uid),',
    'find: (uid) => {\n      declare(accounts, new Set([...accounts.keys(), uid]), (one) => new PresetAccount(one, 0 as never, events));\n      return accounts.get(uid);\n    },',
  ),
  activity(
    'create-ledger',
    'what nobody declares is idle',
    "{ kind: 'unknown' }",
    "{ kind: 'idle', since: 0 as never }",
  ),
  activity(
    'account',
    'the idle clock starts when the last request began',
    'if (this.#inFlight === 0) this.#idleSince = now;',
    'if (this.#inFlight === -1) this.#idleSince = now;',
  ),
  activity(
    'account',
    'a turn is lost when the last waiter leaves',
    'since(leftAt, now) < DEMAND_MEMORY',
    'since(leftAt, now) < 0',
  ),
  activity('account', 'a request may end twice', 'if (ended) throw new Error(`${what} ended twice`);', ''),
];
