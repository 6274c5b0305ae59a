/** Plain JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
/** An object of it. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What a text is as JSON; `undefined`: it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
