/** What stands before the lack, so that it ends the sentence "it waits for …". */
const A_POOL_WITH_ROOM = 'a pool that it fits into: ';

/** What a preset that fits into no part of its pool waits for. `lack`: a sentence, such as "it needs more vram than …". */
export const waitForLargerPool = (lack: string): string => A_POOL_WITH_ROOM + lack;

/** The sentence alone, for whoever is refused and waits for nothing. An operator may have written it alone. */
export const lackOf = (because: string): string =>
  because.startsWith(A_POOL_WITH_ROOM) ? because.slice(A_POOL_WITH_ROOM.length) : because;
