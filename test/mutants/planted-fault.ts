/** One fault, as somebody could make it: a piece of text that is found once in a file, and what it is replaced by. */
export interface PlantedFault {
  /** One line: what is wrong then. */
  readonly name: string;
  /** Relative to the project's folder. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The text with the fault. Throws if the place is not found exactly once: the code has changed, and the fault must follow. */
export function plant({ name, file, find, replace }: PlantedFault, text: string): string {
  const places = text.split(find).length - 1;
  if (places !== 1) {
    throw new Error(`the planted fault "${name}": ${file} has ${places} places with ${JSON.stringify(find)}, not 1`);
  }
  return text.replace(find, () => replace);
}

/** A fault in one file of the planner. */
export const planner = (file: string, name: string, find: string, replace: string): PlantedFault => ({
  name,
  file: `src/planner/${file}.ts`,
  find,
  replace,
});

/** A fault in one file of the operator. */
export const operator = (file: string, name: string, find: string, replace: string): PlantedFault => ({
  name,
  file: `src/operator/${file}.ts`,
  find,
  replace,
});

/** A fault in one file of the ledger. */
export const activity = (file: string, name: string, find: string, replace: string): PlantedFault => ({
  name,
  file: `src/activity/${file}.ts`,
  find,
  replace,
});
