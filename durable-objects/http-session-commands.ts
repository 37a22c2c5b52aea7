import type { Problem } from "../protocol/problem.ts";
import type { Grant, UeSeen } from "../protocol/session-config.ts";
import type { Fragment } from "../protocol/whip/fragment.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import type { Condition } from "../protocol/whip/precondition.ts";

/** A WHIP or WHEP session to be. */
export interface NewHttpSession {
  readonly door: Door;
  /** Of the token that asks. */
  readonly grant: Grant;
  /** The random part of its URL. */
  readonly resource: string;
  readonly offer: string;
  /** `?peer=`: whom to publish to, or whose media to play; the server chooses when it is left out. */
  readonly peer?: string;
}

/** What the POST is answered with. */
export interface OpenedHttpSession {
  /** `offer`: a counter-offer of the media server (WHEP). */
  readonly type: "answer" | "offer";
  readonly sdp: string;
  /** Entity tag of the ICE generation, without quotes. */
  readonly tag: string;
}

/** `null`: candidates are on their way (204). Otherwise the ICE restart (200). */
export type Patched = null | { readonly fragment: string; readonly tag: string };

/** Who patches. */
export interface Patcher {
  /** The peer of the token that came along, if one did. */
  readonly by?: string;
  /** As what it is seen to come, in a deployment with mobile networks. */
  readonly ue?: UeSeen;
}

/** RPC of the session object for src/whip.ts and src/whep.ts. `by` is the peer of the token that came along, if one did: another one's is `unauthorized`. */
export interface HttpSessionCommands {
  /** Resolves when the answer is whole, at latest after LIMITS.httpAnswerMs (6 s). Problems: session-not-found, no-media-server, not-live, publisher-busy, media-server-timeout, not-permitted, sdp-invalid, sdp-too-large, session-full ... */
  openHttpSession(ask: NewHttpSession): Promise<OpenedHttpSession | Problem>;
  /** The client has given up waiting for `openHttpSession`. */
  abandonHttpSession(door: Door, resource: string): Promise<null>;
  /** Problem: `resource-not-found`. */
  seeHttpSession(door: Door, resource: string, by?: string): Promise<null | Problem>;
  patchHttpSession(
    door: Door,
    resource: string,
    condition: Condition,
    fragment: Fragment,
    patcher?: Patcher,
  ): Promise<Patched | Problem>;
  /** The player's answer to a counter-offer. Problems: resource-not-found, nothing-offered (409), sdp-invalid. */
  answerHttpSession(
    door: Door,
    resource: string,
    sdp: string,
    by?: string,
  ): Promise<null | Problem>;
  closeHttpSession(door: Door, resource: string, by?: string): Promise<null | Problem>;
  /** HEAD/GET on the endpoint has no need of the object. */
}
