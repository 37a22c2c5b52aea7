/**
 * What the values of attribute lines say, one function per row. A value that does not fit its grammar
 * gives undefined: the line is kept in the description and its rule finds it there.
 */

const MAX_SSRC = 0xffff_ffff;

export const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface RtpMap {
  readonly format: string;
  readonly name: string;
  /** Hz */
  readonly rate: number;
  readonly channels: number | undefined;
}

export interface FormatParameters {
  readonly format: string;
  /** Verbatim. */
  readonly parameters: string;
}

export interface Feedback {
  /** Payload type, or `*`. */
  readonly format: string;
  /** `nack pli` */
  readonly type: string;
}

export interface ExtMap {
  readonly id: number;
  readonly direction: Direction | undefined;
  readonly uri: string;
  readonly attributes: string;
}

export interface Msid {
  /** `-` when the track is in no stream. */
  readonly stream: string;
  readonly track: string | undefined;
}

export interface SsrcAttribute {
  readonly ssrc: number;
  readonly name: string;
  readonly value: string;
}

export interface SsrcGroup {
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

export interface Rid {
  readonly id: string;
  readonly direction: "send" | "recv";
  /** `max-width` and the like, `pt` included. */
  readonly restrictions: ReadonlyMap<string, string>;
}

export interface SimulcastChoice {
  readonly rid: string;
  readonly paused: boolean;
}

/** Streams, each a list of alternatives of which one is sent. */
export type SimulcastStreams = readonly (readonly SimulcastChoice[])[];

export interface Simulcast {
  readonly send: SimulcastStreams;
  readonly recv: SimulcastStreams;
}

/** Who made the session and which version of it this is: `o=` (RFC 8866 s5.2). */
export interface Origin {
  readonly username: string;
  /** Digits: up to 64 bits, more than a number holds. */
  readonly sessionId: string;
  readonly version: string;
  readonly addressType: "IP4" | "IP6";
  readonly address: string;
}

export interface Fingerprint {
  /** Lower case. */
  readonly hash: string;
  /** Upper case. */
  readonly value: string;
}

export interface Group {
  readonly semantics: string;
  readonly mids: readonly string[];
}

export interface Bandwidth {
  readonly type: string;
  /** In the unit of the type: kilobits per second for AS and CT, bits per second for TIAS, RS and RR. */
  readonly value: number;
}

export interface MediaLine {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
}

/** The words of a value; blanks between them do not count. */
export function words(value: string): string[] {
  const parts = value.split(" ");
  // As a rule there is one blank between words, and a search is cheaper than a copy.
  return parts.includes("") ? parts.filter((part) => part !== "") : parts;
}

const BLANK = 0x20;

/** Whether there is one blank between words and none elsewhere. */
const isTidy = (value: string): boolean =>
  value !== "" &&
  value.charCodeAt(0) !== BLANK &&
  value.charCodeAt(value.length - 1) !== BLANK &&
  !value.includes("  ");

/** `m=audio 9 UDP/TLS/RTP/SAVPF 111 63` and `m=audio 49170/2 RTP/AVP 0` (RFC 8866 s5.14). */
export function mediaLineOf(value: string): MediaLine | undefined {
  const [kind = "", port = "", protocol, ...formats] = words(value);
  const isPort = /^\d{1,5}(?:\/\d{1,5})?$/.test(port);
  const number = Number.parseInt(port, 10);
  if (
    !isPort ||
    number > 65_535 ||
    protocol === undefined ||
    !/^[\w!#$%&'*+.^`{|}~-]+$/.test(kind)
  ) {
    return undefined;
  }
  return { kind, port: number, protocol, formats };
}

/** `b=AS:64`, `b=TIAS:700000`, `b=X-YZ:128` (RFC 8866 s5.8). */
export function bandwidthOf(value: string): Bandwidth | undefined {
  const found = /^([A-Za-z0-9-]+):(\d{1,10})$/.exec(value.trimEnd());
  return found ? { type: String(found[1]), value: Number(found[2]) } : undefined;
}

/** `a=rtpmap:111 opus/48000/2` (RFC 8866 s6.6). */
export function rtpMapOf(value: string): RtpMap | undefined {
  const [format = "", encoding = ""] = words(value);
  const found = /^([^/]+)\/(\d{1,9})(?:\/(\d{1,3}))?$/.exec(encoding);
  if (!found) return undefined;
  const [, name, rate, channels] = found;
  return {
    format,
    name: String(name),
    rate: Number(rate),
    channels: channels === undefined ? undefined : Number(channels),
  };
}

/** `a=fmtp:111 minptime=10;useinbandfec=1` (RFC 8866 s6.15). */
export function formatParametersOf(value: string): FormatParameters | undefined {
  const blank = value.indexOf(" ");
  if (blank <= 0) return undefined;
  return { format: value.slice(0, blank), parameters: value.slice(blank + 1) };
}

/** `a=rtcp-fb:96 nack pli`, `a=rtcp-fb:* ccm fir` (RFC 4585 s4.2). */
export function feedbackOf(value: string): Feedback | undefined {
  const tidy = isTidy(value) ? value : words(value).join(" ");
  const blank = tidy.indexOf(" ");
  return blank < 0 ? undefined : { format: tidy.slice(0, blank), type: tidy.slice(blank + 1) };
}

/** `a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid`, `a=extmap:3/recvonly urn:x attribute` (RFC 8285 s8). */
export function extMapOf(value: string): ExtMap | undefined {
  const parts = words(value);
  const [entry = "", uri] = parts;
  const slash = entry.indexOf("/");
  const id = slash < 0 ? entry : entry.slice(0, slash);
  if (!/^\d{1,5}$/.test(id) || uri === undefined) return undefined;
  const said = slash < 0 ? undefined : entry.slice(slash + 1);
  const direction = said === undefined ? said : DIRECTIONS.find((known) => known === said);
  if (said !== direction) return undefined;
  return { id: Number(id), direction, uri, attributes: parts.slice(2).join(" ") };
}

/** `a=msid:7ca411b0 fca6e273`, `a=msid:- {uuid}`, `a=msid:stream` (RFC 8830 s2). */
export function msidOf(value: string): Msid | undefined {
  const [stream, track] = words(value);
  return stream === undefined ? undefined : { stream, track };
}

const ssrcOf = (word: string): number | undefined => {
  const ssrc = /^\d{1,10}$/.test(word) ? Number(word) : MAX_SSRC + 1;
  return ssrc <= MAX_SSRC ? ssrc : undefined;
};

/** `314159 271828`: SSRCs one after the other (RFC 5576 s4.2, s6.2); what is none is left out. */
export const ssrcListOf = (text: string): number[] =>
  words(text)
    .map(ssrcOf)
    .filter((ssrc) => ssrc !== undefined);

/** `a=ssrc:3057157934 cname:YNBUiW7IzhPUPFKW` (RFC 5576 s4.1). */
export function ssrcAttributeOf(value: string): SsrcAttribute | undefined {
  const blank = value.indexOf(" ");
  const ssrc = ssrcOf(value.slice(0, Math.max(blank, 0)));
  if (ssrc === undefined) return undefined;
  const attribute = value.slice(blank + 1).trim();
  const colon = attribute.indexOf(":");
  return colon < 0
    ? { ssrc, name: attribute, value: "" }
    : { ssrc, name: attribute.slice(0, colon), value: attribute.slice(colon + 1) };
}

/** `a=ssrc-group:FID 2572232228 3223626801` (RFC 5576 s4.2). */
export function ssrcGroupOf(value: string): SsrcGroup | undefined {
  const [semantics, ...members] = words(value);
  if (semantics === undefined) return undefined;
  return { semantics, ssrcs: members.map(ssrcOf).filter((ssrc) => ssrc !== undefined) };
}

/** `a=rid:h send`, `a=rid:1 send pt=97;max-width=1280;max-br=600000` (RFC 8851 s10). */
export function ridOf(value: string): Rid | undefined {
  const [id, direction, ...rest] = words(value);
  if (id === undefined || (direction !== "send" && direction !== "recv")) return undefined;
  const restrictions = rest
    .join("")
    .split(";")
    .filter((part) => part !== "")
    .map((part): [string, string] => {
      const equals = part.indexOf("=");
      return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    });
  return { id, direction, restrictions: new Map(restrictions) };
}

const streamsOf = (list: string): SimulcastStreams =>
  list
    .split(";")
    .map((stream) =>
      stream
        .split(",")
        .map((choice) =>
          choice.startsWith("~")
            ? { rid: choice.slice(1), paused: true }
            : { rid: choice, paused: false },
        )
        .filter(({ rid }) => rid !== ""),
    )
    .filter((stream) => stream.length > 0);

/** `a=simulcast:send h;m;l`, `a=simulcast:send 1,~4;2 recv c` (RFC 8853 s5.1). */
export function simulcastOf(value: string): Simulcast | undefined {
  const [first, firstList, second, secondList] = words(value);
  const lists = new Map([
    [first, firstList],
    [second, secondList],
  ]);
  const send = lists.get("send");
  const recv = lists.get("recv");
  if (send === undefined && recv === undefined) return undefined;
  return { send: streamsOf(send ?? ""), recv: streamsOf(recv ?? "") };
}

/** `o=- 4611731400430051336 2 IN IP4 127.0.0.1` (RFC 8866 s5.2). */
export function originOf(value: string): Origin | undefined {
  const [username, sessionId, version, network, addressType, address, ...more] = value.split(" ");
  const isNumbered = /^\d+$/.test(sessionId ?? "") && /^\d+$/.test(version ?? "");
  if (!username || !sessionId || !version || !address || !isNumbered || network !== "IN") {
    return undefined;
  }
  if ((addressType !== "IP4" && addressType !== "IP6") || more.length > 0) return undefined;
  return { username, sessionId, version, addressType, address };
}

/** `a=fingerprint:sha-256 5D:4F:C8:...` (RFC 8122 s5). */
export function fingerprintOf(value: string): Fingerprint | undefined {
  const [hash, digest] = words(value);
  if (hash === undefined || digest === undefined) return undefined;
  return { hash: hash.toLowerCase(), value: digest.toUpperCase() };
}

/** `a=group:BUNDLE 0 1`, `a=group:BUNDLE` (RFC 5888 s5). */
export function groupOf(value: string): Group | undefined {
  const [semantics, ...mids] = words(value);
  return semantics === undefined ? undefined : { semantics, mids };
}

/** `a=sctp-port:5000` (RFC 8841 s5), `a=max-message-size:262144` (RFC 8841 s6). */
export function integerOf(value: string): number | undefined {
  const digits = value.trim();
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
