/** An entry of a list of sessions: the name of the list, and the number of the entry there. */
export interface Listing {
  readonly index: string;
  readonly n: number;
}

/** Who counts and lists a session besides itself, as long as it lives; told to nobody. */
export interface Kept {
  /** Names the quota that the session counts against. */
  readonly quota?: string;
  /** Where the session is listed. */
  readonly listing?: Listing;
  /** Mobile networks that are for some API keys only, this session's among them. */
  readonly networks?: readonly string[];
}
