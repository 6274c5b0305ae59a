/** Which models somebody may know of. What is said to others names no model that is not seen. */
export interface Sight {
  /** Every one, those too that are not declared any more. */
  readonly seesAll: boolean;
  /** `model`: a canonical name. */
  sees(model: string): boolean;
}

export const SEES_ALL: Sight = { seesAll: true, sees: () => true };
