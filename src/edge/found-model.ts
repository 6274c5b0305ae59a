/** What a request's body asks for, or why that cannot be said, in words for the client. */
export type FoundModel =
  | {
      readonly ok: true;
      readonly model: string;
      readonly stream: boolean;
      /** Where the brace stands that closes the object of a JSON body; `undefined`: it is a form. */
      readonly closedAt: number | undefined;
    }
  | { readonly ok: false; readonly reason: string };
