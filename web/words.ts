import type { Flow } from "../client/duplex.ts";

/** What happened, and what to do, in words for the people in a call. */
const PROBLEMS: Readonly<Record<string, string>> = {
  unreachable: "The server does not answer. Check your connection and try again.",
  "signalling-unreachable": "The server does not answer. Check your connection and try again.",
  "signalling-closed": "The connection to the server is gone.",
  "session-not-found": "This call is over, or the link is not complete. You can start a new one.",
  "session-full": "This call is full.",
  unauthorized: "The server does not accept this key.",
  misconfigured: "This server is not set up yet: its operator has to set an API key.",
  "not-permitted": "You may not send this here.",
  "peer-away": "The other person's connection is gone just now. Try again in a moment.",
  "rate-limited": "Too much at once. Wait a moment.",
  "sdp-invalid": "The server found a mistake in what a browser offered, and stopped it.",
  "flow-held": "Somebody else holds this flow; only they can let it go on.",
  "flow-ended": "This flow is over.",
  "flow-not-steerable": "Data cannot be held or limited.",
  "negotiation-failed": "The connection to somebody could not be agreed on. Trying again.",
};

/** A problem in plain words; the code stays visible for those who report it. */
export function wordsForProblem(code: string, detail: string): string {
  return PROBLEMS[code] ?? `Something was refused: ${detail || code} (${code}).`;
}

const CLOSE_WORDS: Readonly<Record<number, string>> = {
  1000: "You left the call.",
  4000: "The call was ended.",
  4001: "The call goes on in another window: it was opened there with the same ticket.",
  4002: "You were removed from the call.",
  4003: "Your ticket for this call has expired. Join again to get a new one.",
  4008: "The server closed the connection: too much went wrong on this side.",
};

/** Why the call is over for this person. */
export function wordsForClose(code: number, reason: string): string {
  return CLOSE_WORDS[code] ?? wordsForProblem(reason, reason);
}

const LINK_WORDS: Readonly<Record<RTCPeerConnectionState, string>> = {
  new: "waiting",
  connecting: "connecting",
  connected: "connected",
  disconnected: "interrupted",
  failed: "no path, trying again",
  closed: "closed",
};

export function wordsForLink(state: RTCPeerConnectionState): string {
  return LINK_WORDS[state];
}

/** Why a camera, a microphone or a screen could not be had. */
export function wordsForMedia(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (!window.isSecureContext) {
    return "Browsers give the camera and the microphone only to pages served over https. You can watch and listen.";
  }
  if (name === "NotAllowedError") {
    return "The browser was not allowed to use the camera or the microphone. You can watch and listen.";
  }
  if (name === "NotReadableError") {
    return "The camera or the microphone is in use by another program. You can watch and listen.";
  }
  return "No camera or microphone was found. You can watch and listen.";
}

/** `1.2 Mbit/s`, `48 kbit/s`. */
export function bitrate(bps: number | undefined): string {
  if (bps === undefined) return "–";
  if (bps >= 1_000_000) return `${(bps / 1_000_000).toFixed(1)} Mbit/s`;
  return `${Math.round(bps / 1000)} kbit/s`;
}

/** The codec a flow's sender uses first: `opus 48000/2`, `VP8`. */
export function codecOf(flow: Flow): string {
  const codec = flow.codecs.find(({ role }) => role === "primary") ?? flow.codecs[0];
  if (codec === undefined) return flow.kind === "data" ? "SCTP" : "–";
  return codec.channels === undefined ? codec.name : `${codec.name}, ${codec.channels} channels`;
}
