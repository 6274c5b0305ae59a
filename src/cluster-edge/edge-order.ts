import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';

/** What a client has ordered, until it is seen done. */
export interface EdgeOrder {
  /** Never used twice, so that the operator carries it out once. */
  readonly id: string;
  readonly kind: 'Load' | 'Unload';
  readonly preset: PresetUid;
  /** Of Unload: the replicas that are meant, and no later ones. None: it takes back a load of which no replica is seen yet. */
  readonly replicas: readonly ReplicaId[];
  /** Live when it was given. */
  readonly before: readonly ReplicaId[];
  /**
   * From when on those tell whether it is done. Of one that takes back another order that is later: of which of the two they tell nobody
   * knows until the operator has surely read it.
   */
  readonly tellingFrom: Instant;
  /** It is reported no longer, done or not. */
  readonly until: Instant;
  /**
   * Of Load: its preset was seen without a failed load since. What its status said of one when the order came does not count: an order
   * ends a back-off.
   */
  readonly isFresh: boolean;
}
