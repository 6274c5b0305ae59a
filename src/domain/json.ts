/** Plain JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
/** An object of it. */
export interface JsonObject {
  readonly [key: string]: Json;
}
