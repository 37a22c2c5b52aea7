import { recordOf } from "./corpus.ts";

/** Descriptions as browsers write them: sections of recorded offers with the names and keys of one connection. */

export type Stack = "chromium" | "firefox";
export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";
export type MediaKind = "audio" | "video";

/** What a section is besides its media lines. */
export interface Section {
  readonly mid: string;
  readonly kind: MediaKind;
  /** Port 0: declined or stopped. */
  readonly isOff: boolean;
  readonly direction: Direction;
  readonly ufrag: string;
  readonly fingerprint: string;
  readonly setup: string;
  /** Payload types, rtpmaps and so on, as lines. */
  readonly media: readonly string[];
  readonly payloadTypes: string;
  /** Candidates that the text carries. */
  readonly candidates: readonly string[];
  readonly streams: readonly string[];
}

/** What a side writes into all its sections. */
export interface Identity {
  readonly stack: Stack;
  readonly sessionId: string;
  readonly fingerprint: string;
  readonly cname: string;
}

/** A section to be written. */
export interface Writing extends Pick<Section, "mid" | "kind" | "isOff" | "direction" | "setup"> {
  readonly ufrag: string;
  readonly pwd: string;
  readonly media: readonly string[];
  readonly payloadTypes: string;
  readonly sources: readonly number[];
  readonly streams: readonly string[];
}

/** Lines that belong to one connection or one moment, not to the media. */
const OWN_LINE =
  /^(m=|c=|a=(candidate|end-of-candidates|ice-|fingerprint|setup|mid:|msid|ssrc|rtcp:|bundle-only|extmap-allow-mixed|sendrecv|sendonly|recvonly|inactive|extmap:\d+\/))/;

const linesOf = (text: string): string[] => text.split("\r\n").filter((line) => line !== "");

const templates = new Map<string, { media: string[]; payloadTypes: string }>();

/** The media lines that a stack offers for a kind. */
export function mediaOf(stack: Stack, kind: MediaKind): { media: string[]; payloadTypes: string } {
  const key = `${stack} ${kind}`;
  const known = templates.get(key);
  if (known) return known;
  const text = recordOf(`${stack}.two-video-tracks`)
    .offer.split(/^(?=m=)/m)
    .find((section) => section.startsWith(`m=${kind}`));
  const [first = "", ...rest] = linesOf(text ?? "");
  const template = {
    media: rest.filter((line) => !OWN_LINE.test(line)),
    payloadTypes: first.split(" ").slice(3).join(" "),
  };
  templates.set(key, template);
  return template;
}

function sectionLines(one: Writing, by: Identity): string[] {
  const { kind, isOff, mid, ufrag, pwd, setup, direction, sources, streams } = one;
  const head = [`m=${kind} ${isOff ? 0 : 9} UDP/TLS/RTP/SAVPF ${one.payloadTypes}`];
  head.push("c=IN IP4 0.0.0.0");
  if (isOff) return [...head, `a=mid:${mid}`, "a=inactive"];
  const [main, repair] = sources;
  const sends = direction === "sendrecv" || direction === "sendonly";
  return [
    ...head,
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${by.fingerprint}`,
    `a=setup:${setup}`,
    `a=mid:${mid}`,
    `a=${direction}`,
    ...(sends ? streams.map((stream) => `a=msid:${stream}`) : []),
    ...one.media,
    ...(sends && repair !== undefined ? [`a=ssrc-group:FID ${main} ${repair}`] : []),
    ...(sends ? sources.map((ssrc) => `a=ssrc:${ssrc} cname:${by.cname}`) : []),
  ];
}

export function write(sections: readonly Writing[], by: Identity, version: number): string {
  const live = sections.filter(({ isOff }) => !isOff).map(({ mid }) => mid);
  const user = by.stack === "chromium" ? "-" : "mozilla...THIS_IS_SDPARTA-99.0";
  const lines = [
    "v=0",
    `o=${user} ${by.sessionId} ${version} IN IP4 ${by.stack === "chromium" ? "127.0.0.1" : "0.0.0.0"}`,
    "s=-",
    "t=0 0",
    ...(live.length > 0 ? [`a=group:BUNDLE ${live.join(" ")}`] : []),
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS *",
    ...sections.flatMap((one) => sectionLines(one, by)),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

const valuesOf = (lines: readonly string[], start: string): string[] =>
  lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));

function readSection(text: string): Section {
  const lines = linesOf(text);
  const [, kind = "", port = "", pts = ""] = /^m=(\S+) (\d+) \S+ (.*)$/.exec(lines[0] ?? "") ?? [];
  const one = (start: string): string => valuesOf(lines, start)[0] ?? "";
  const direction = lines.find((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line));
  return {
    mid: one("a=mid:"),
    kind: kind as MediaKind,
    isOff: port === "0",
    direction: (direction?.slice(2) ?? "sendrecv") as Direction,
    ufrag: one("a=ice-ufrag:"),
    fingerprint: one("a=fingerprint:"),
    setup: one("a=setup:"),
    media: lines.filter((line) => !OWN_LINE.test(line)),
    payloadTypes: pts,
    candidates: valuesOf(lines, "a=candidate:"),
    streams: valuesOf(lines, "a=msid:"),
  };
}

export function read(sdp: string): Section[] {
  return sdp
    .split(/^(?=m=)/m)
    .slice(1)
    .map(readSection);
}

/** Puts gathered candidates into their sections, as a browser shows its local description. */
export function withCandidates(sdp: string, byMid: ReadonlyMap<string, readonly string[]>): string {
  const [head = "", ...sections] = sdp.split(/^(?=m=)/m);
  const filled = sections.map((text) => {
    const mid = /^a=mid:(\S+)/m.exec(text)?.[1] ?? "";
    const lines = (byMid.get(mid) ?? []).map((candidate) => `a=${candidate}\r\n`);
    return text.replace(/^a=ice-ufrag:/m, (start) => `${lines.join("")}${start}`);
  });
  return head + filled.join("");
}

/** A description as it was set: without what was gathered later. */
export const withoutCandidates = (sdp: string): string =>
  sdp.replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, "");
