/**
 * Whether a name fits a pattern, in which `*` stands for any characters, `/` and none among them, and `?` for one. All else
 * stands for itself. Of several `*` only the last is ever tried again, which suffices: the time is bounded by the product of
 * the two lengths.
 */
export function fitsPattern(name: string, pattern: string): boolean {
  return fits(Array.from(name), Array.from(pattern));
}

function fits(name: readonly string[], pattern: readonly string[]): boolean {
  let [at, read] = [0, 0];
  /** Where the last star stands in the pattern, and where in the name ends what it stands for. */
  let [star, end] = [-1, 0];
  while (at < name.length) {
    if (pattern[read] === '*') {
      [star, end] = [read, at];
      read += 1;
    } else if (pattern[read] === '?' || pattern[read] === name[at]) {
      at += 1;
      read += 1;
    } else if (star !== -1) {
      end += 1;
      [at, read] = [end, star + 1];
    } else return false;
  }
  return pattern.slice(read).every((character) => character === '*');
}
