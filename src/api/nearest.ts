/** One row of the table of distances: entry `j` is the distance to the first `j` letters. */
type Row = readonly number[];

/** Outside of the table no way leads anywhere. */
function entry(row: Row, index: number): number {
  const distance = row[index];
  return distance === undefined ? Infinity : distance;
}

/** The cheapest way to the cell after `i` and `j` letters: insert, drop, replace, or swap two neighbours. */
function cost(a: string, b: string, cell: { i: number; j: number; rows: readonly [Row, Row, Row] }): number {
  const { i, j, rows } = cell;
  const [twoAbove, above, left] = rows;
  const replaced = entry(above, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  const swapped = isSwap ? entry(twoAbove, j - 2) + 1 : Infinity;
  return Math.min(entry(above, j) + 1, entry(left, j - 1) + 1, replaced, swapped);
}

/** The number of letters to insert, drop, replace or swap with their neighbour to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let twoAbove: Row = [];
  let above: Row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) row.push(cost(a, b, { i, j, rows: [twoAbove, above, row] }));
    twoAbove = above;
    above = row;
  }
  return entry(above, b.length);
}

/** The candidate that `word` was most likely meant to be; `undefined` if none is near. The first of equals. */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const name of candidates) {
    if (Math.abs(name.length - word.length) > limit) continue;
    const distance = editDistance(word, name);
    if (distance <= limit && (nearest === undefined || distance < nearest.distance)) nearest = { name, distance };
  }
  return nearest?.name;
}

/** A sentence for `Problem.fix`, as a part to spread: empty where nothing is near. */
export function suggest(word: string, candidates: Iterable<string>): { readonly fix?: string } {
  const nearest = findNearest(word, candidates);
  return nearest === undefined ? {} : { fix: `Did you mean ${nearest}?` };
}
