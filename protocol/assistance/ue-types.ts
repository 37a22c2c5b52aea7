/** What a token says of its peer as the UE of a mobile network. */
export interface UeClaims {
  /** Name of the network in the configuration. */
  readonly network?: string;
  /** E.164 with `+`. */
  readonly phoneNumber?: string;
}

/** A peer as the UE of a mobile network; told to nobody but that network. */
export interface Ue extends UeClaims {
  readonly network: string;
  /** A token said so, and a newer one need not say it again. */
  readonly isNamed?: true;
  /** From which it signals, in the form of RFC 5952. */
  readonly address?: string;
}

/** The same before its network is known. */
export type UeSeen = Partial<Ue>;
