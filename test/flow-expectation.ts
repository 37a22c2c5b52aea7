import { parse } from "sdp-transform";

/**
 * What flows a pair of descriptions makes, worked out a second time: by the RFCs and with another parser (sdp-transform,
 * and plain lines where it loses some), never by the code that is tested. Fixtures are made with it, and it judges mutated
 * pairs.
 */

export type Party = "offerer" | "answerer";

/** A flow right after the answer of a first exchange. Lists are texts, so that a fixture can be read. */
export interface ExpectedFlow {
  /** Index of the m-section. */
  section: number;
  mid: string;
  kind: "audio" | "video" | "data";
  from: Party;
  state: "negotiated";
  /** Index in `transports`. */
  transport: number;
  /** `111 opus/48000/2 primary minptime=10`, in the receiver's order. */
  codecs: string[];
  /** `1234`, or `1234 rtx 5678`, or `1234 fec 5678`. */
  sources: string[];
  /** Restriction identifiers, best first; `~` before one that starts paused. */
  layers: string[];
  simulcast?: "accepted" | "declined";
  streams: string[];
  track?: string;
  cname?: string;
  feedback: string[];
  congestion?: "ccfb" | "transport-cc" | "remb" | "none";
  /** What there is against loss. */
  repair?: string[];
  /** `4 urn:ietf:params:rtp-hdrext:sdes:mid`. */
  headerExtensions: string[];
  rtcp?: { mux: boolean; rsize: boolean; rs?: number; rr?: number; trrInt?: number; xr?: string[] };
  limits: {
    receiverAs?: number;
    receiverTias?: number;
    sessionCt?: number;
    layersBps?: number;
    effectiveBps?: number;
    source?: string;
  };
  sctp?: { port?: number; maxMessageSize: number };
}

type CandidateCounts = Record<"host" | "srflx" | "prflx" | "relay", number>;

export interface ExpectedTransport {
  mids: string[];
  /** Absent where no media runs: there is no RTCP then. */
  rtcpMux?: boolean;
  dtls: { client: Party; server: Party; fingerprints: Record<Party, string[]> };
  ufrags: Partial<Record<Party, string>>;
  candidates: Record<Party, CandidateCounts>;
}

export interface Expectation {
  flows: ExpectedFlow[];
  /** What was offered and is over: `1 answerer rejected`. */
  ended: string[];
  transports: ExpectedTransport[];
}

// --- one description -----------------------------------------------------------------------------------------------

interface Format {
  readonly pt: number;
  readonly name: string;
  readonly rate: number;
  readonly channels: number | undefined;
  readonly fmtp: string | undefined;
}

interface Part {
  /** Lines of this part alone. */
  readonly lines: readonly string[];
}

interface Media extends Part {
  readonly index: number;
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly mid: string | undefined;
  readonly formats: readonly Format[];
  readonly ssrcs: readonly { id: number; attribute: string; value: string }[];
  readonly ssrcGroups: readonly { semantics: string; ssrcs: readonly number[] }[];
}

interface Side extends Part {
  readonly media: readonly Media[];
}

/** Payload types that need no rtpmap (RFC 3551 s6), as far as anybody uses them here. */
const STATIC: Readonly<Record<number, readonly [name: string, rate: number, channels?: number]>> = {
  0: ["PCMU", 8000],
  3: ["GSM", 8000],
  4: ["G723", 8000],
  8: ["PCMA", 8000],
  9: ["G722", 8000],
  10: ["L16", 44_100, 2],
  11: ["L16", 44_100, 1],
  13: ["CN", 8000],
  15: ["G728", 8000],
  18: ["G729", 8000],
  26: ["JPEG", 90_000],
  31: ["H261", 90_000],
  34: ["H263", 90_000],
};

const has = (part: Part, attribute: string): boolean => part.lines.includes(`a=${attribute}`);

const valuesOf = (part: Part, name: string): string[] =>
  part.lines
    .filter((line) => line.startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());

/** The values of an attribute in the section or, when there are none, in the session part. */
const inherited = (side: Side, media: Media, name: string): string[] => {
  const own = valuesOf(media, name);
  return own.length > 0 ? own : valuesOf(side, name);
};

const numberAfter = (part: Part, name: string): number | undefined => {
  const [value] = valuesOf(part, name);
  return value === undefined ? undefined : Number(value);
};

function readSide(sdp: string): Side {
  const lines = sdp.split(/\r?\n/).filter((line) => line !== "");
  const starts = lines.flatMap((line, at) => (line.startsWith("m=") ? [at] : []));
  const parsed = parse(sdp);
  if (parsed.media.length !== starts.length) throw new Error("the parser has lost a section");
  const media = starts.map((start, index): Media => {
    const own = lines.slice(start, starts[index + 1] ?? lines.length);
    const [type = "", port = "", protocol = "", ...list] = own[0]!.slice("m=".length).split(" ");
    const { rtp, fmtp, ssrcs = [], ssrcGroups = [] } = parsed.media[index]!;
    const formats = list.flatMap((text): Format[] => {
      const pt = Number(text);
      const said = rtp.find(({ payload }) => payload === pt);
      const known = STATIC[pt];
      if (!said && !known) return [];
      const channels = said ? said.encoding : known![2];
      return [
        {
          pt,
          name: said ? String(said.codec) : known![0],
          rate: said ? Number(said.rate) : known![1],
          channels: channels === undefined ? undefined : Number(channels),
          fmtp: fmtp.find(({ payload }) => payload === pt)?.config,
        },
      ];
    });
    return {
      index,
      lines: own,
      type,
      port: Number.parseInt(port, 10),
      protocol,
      mid: valuesOf({ lines: own }, "a=mid")[0],
      formats,
      ssrcs: ssrcs.map(({ id, attribute, value }) => ({
        id: Number(id),
        attribute,
        value: String(value ?? ""),
      })),
      ssrcGroups: ssrcGroups.map((group) => ({
        semantics: group.semantics,
        ssrcs: String(group.ssrcs).split(" ").map(Number),
      })),
    };
  });
  return { lines: lines.slice(0, starts[0] ?? lines.length), media };
}

const kindOf = ({ type, protocol }: Media): ExpectedFlow["kind"] | undefined => {
  if (type === "audio" || type === "video") return type;
  return type === "application" && protocol.includes("SCTP") ? "data" : undefined;
};

const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"] as const;

/** RFC 8866 s6.7: of the section, else of the session, else sendrecv. */
function directionOf(side: Side, media: Media): (typeof DIRECTIONS)[number] {
  const of = (part: Part) => DIRECTIONS.findLast((direction) => has(part, direction));
  return of(media) ?? of(side) ?? "sendrecv";
}

const sends = (side: Side, media: Media): boolean =>
  kindOf(media) === "data" || directionOf(side, media).startsWith("send");

const receives = (side: Side, media: Media): boolean =>
  kindOf(media) === "data" || ["sendrecv", "recvonly"].includes(directionOf(side, media));

/** Lists of mids of BUNDLE groups. */
const bundlesOf = (side: Side): string[][] =>
  valuesOf(side, "a=group")
    .map((value) => value.split(/\s+/))
    .filter(([semantics]) => semantics === "BUNDLE")
    .map(([, ...mids]) => mids);

/** RFC 3264 s6, s8.2; port 0 in an offer is no rejection beside bundle-only (RFC 9143 s6). */
const isOffered = (offer: Side, media: Media): boolean =>
  media.port !== 0 ||
  (has(media, "bundle-only") && bundlesOf(offer).some((mids) => mids.includes(media.mid ?? "")));

// --- codecs --------------------------------------------------------------------------------------------------------

/** `a=1;b=2` as members; names are not case sensitive. */
const parametersOf = (fmtp = ""): Map<string, string> =>
  new Map(
    fmtp.split(";").map((each) => {
      const [name = "", ...value] = each.split("=");
      return [name.trim().toLowerCase(), value.join("=").trim()];
    }),
  );

/** RFC 6184 table 5: profile_idc, pattern of profile-iop (x: any bit), and what both mean together. */
const H264_PROFILES: readonly (readonly [idc: string, iop: string, profile: string])[] = [
  ["42", "x1xx0000", "constrained baseline"],
  ["4d", "1xxx0000", "constrained baseline"],
  ["58", "11xx0000", "constrained baseline"],
  ["42", "x0xx0000", "baseline"],
  ["58", "10xx0000", "baseline"],
  ["4d", "0x0x0000", "main"],
  ["58", "00xx0000", "extended"],
  ["64", "00000000", "high"],
  ["6e", "00000000", "high 10"],
  ["7a", "00000000", "high 4:2:2"],
  ["f4", "00000000", "high 4:4:4"],
  ["6e", "00010000", "high 10 intra"],
  ["7a", "00010000", "high 4:2:2 intra"],
  ["f4", "00010000", "high 4:4:4 intra"],
  ["2c", "00010000", "cavlc 4:4:4 intra"],
];

function h264Profile(profileLevelId: string): string {
  const id = profileLevelId.toLowerCase();
  const bits = Number.parseInt(id.slice(2, 4), 16).toString(2).padStart(8, "0");
  const fits = ([idc, iop]: (typeof H264_PROFILES)[number]): boolean =>
    id.startsWith(idc) && [...iop].every((bit, at) => bit === "x" || bit === bits[at]);
  return H264_PROFILES.find(fits)?.[2] ?? id.slice(0, 4);
}

/** What must be equal on both sides besides name, rate and channels. */
function configuration({ name, fmtp }: Format): string {
  const said = parametersOf(fmtp);
  const of = (parameter: string, otherwise: string) => said.get(parameter) ?? otherwise;
  switch (name.toLowerCase()) {
    case "h264": // RFC 6184 s8.2.2: both must be used alike in both directions.
      return `${of("packetization-mode", "0")} ${h264Profile(of("profile-level-id", "42000A"))}`;
    case "vp9": // RFC 9628 s6.
      return of("profile-id", "0");
    case "av1":
      return of("profile", "0");
    case "h265": // RFC 7798 s7.2.2.
      return ["profile-space", "profile-id", "tier-flag"]
        .map((parameter) => of(parameter, parameter === "profile-id" ? "1" : "0"))
        .join(" ");
    default:
      return "";
  }
}

const nameOf = ({ name }: Format): string => name.toLowerCase();

const roleOf = (format: Format): string => {
  const name = nameOf(format);
  if (["rtx", "red"].includes(name)) return name;
  if (/^(x-)?(ulpfec|flexfec|parityfec)/.test(name)) return "fec";
  if (name === "cn") return "cn";
  return name === "telephone-event" ? "dtmf" : "primary";
};

/** A format that the receiver has listed, with the sender's formats that mean the same. */
interface Agreed {
  readonly format: Format;
  readonly same: readonly Format[];
}

const aptOf = ({ fmtp }: Format): number => Number(parametersOf(fmtp).get("apt") ?? Number.NaN);

/** RFC 3264 s6.1, s7: the receiver's payload types in the receiver's order, if the sender lists the format too. */
function agreedFormats(sender: Media, receiver: Media): Agreed[] {
  const alike = (one: Format, other: Format): boolean =>
    nameOf(one) === nameOf(other) &&
    one.rate === other.rate &&
    (one.channels ?? 1) === (other.channels ?? 1);
  const counterparts = (format: Format): Format[] =>
    nameOf(format) === "rtx"
      ? []
      : sender.formats.filter(
          (each) => alike(each, format) && configuration(each) === configuration(format),
        );
  // RFC 4588 s8.6: a retransmission is one of what apt names.
  const repairing = (format: Format): Format[] => {
    const original = receiver.formats.find(({ pt }) => pt === aptOf(format));
    const originals = original ? counterparts(original).map(({ pt }) => pt) : [];
    return sender.formats.filter((each) => alike(each, format) && originals.includes(aptOf(each)));
  };
  return receiver.formats
    .map((format) => ({
      format,
      same: nameOf(format) === "rtx" ? repairing(format) : counterparts(format),
    }))
    .filter(({ same }) => same.length > 0);
}

/** RFC 3264 s6: a section without a common format is rejected; repair, noise and tones are none by themselves. */
const hasCodec = (sender: Media, receiver: Media): boolean =>
  agreedFormats(sender, receiver).some(({ format }) => roleOf(format) === "primary");

function codecText({ format }: Agreed): string {
  const { pt, name, rate, channels, fmtp } = format;
  const encoding = channels === undefined ? `${name}/${rate}` : `${name}/${rate}/${channels}`;
  return [pt, encoding, roleOf(format), ...(fmtp === undefined ? [] : [fmtp])].join(" ");
}

// --- feedback and what depends on it -------------------------------------------------------------------------------

function feedbackAgreed(sender: Media, receiver: Media, agreed: readonly Agreed[]): string[] {
  const of = (media: Media, pt: number): string[] =>
    valuesOf(media, "a=rtcp-fb").flatMap((value) => {
      const [target, ...words] = value.split(/\s+/);
      return target === "*" || target === String(pt) ? [words.join(" ")] : [];
    });
  const both = agreed.flatMap(({ format, same }) => {
    const sent = new Set(same.flatMap(({ pt }) => of(sender, pt)));
    return of(receiver, format.pt).filter((value) => sent.has(value));
  });
  return [...new Set(both)].filter((value) => !value.startsWith("trr-int")).toSorted();
}

const congestionOf = (feedback: readonly string[]): ExpectedFlow["congestion"] => {
  if (feedback.includes("ack ccfb")) return "ccfb";
  if (feedback.includes("transport-cc")) return "transport-cc";
  return feedback.includes("goog-remb") ? "remb" : "none";
};

function repairOf(feedback: readonly string[], agreed: readonly Agreed[]): string[] {
  const named = (pattern: RegExp) => agreed.some(({ format }) => pattern.test(nameOf(format)));
  const inband = agreed.some(({ format }) => parametersOf(format.fmtp).get("useinbandfec") === "1");
  return [
    ...(feedback.includes("nack") ? ["nack"] : []),
    ...(named(/^rtx$/) ? ["rtx"] : []),
    ...(named(/^red$/) ? ["red"] : []),
    ...(named(/^(x-)?ulpfec/) ? ["ulpfec"] : []),
    ...(named(/^flexfec/) ? ["flexfec"] : []),
    ...(inband ? ["inbandFec"] : []),
  ];
}

/** RFC 8285 s6: the same number on both sides, and both use it in this direction. */
function extensionsOf(sender: Media, receiver: Media): string[] {
  const of = (media: Media, directions: readonly string[]): string[] =>
    valuesOf(media, "a=extmap").flatMap((value) => {
      const [mapping = "", first = "", inner = ""] = value.split(/\s+/);
      // RFC 6904 s4: what is encrypted is named after it.
      const uri = first === "urn:ietf:params:rtp-hdrext:encrypt" ? inner : first;
      const [id = "", direction = "sendrecv"] = mapping.split("/");
      return directions.includes(direction) ? [`${id} ${uri}`] : [];
    });
  const sent = of(sender, ["sendrecv", "sendonly"]);
  return of(receiver, ["sendrecv", "recvonly"])
    .filter((each) => sent.includes(each))
    .toSorted((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
}

/** The two sections at one place. */
interface Pair {
  readonly offered: Media;
  readonly answered: Media;
  readonly mid: string;
  /** Neither side has rejected it. */
  readonly lives: boolean;
}

/** A section with the description that it is of. */
interface End {
  readonly side: Side;
  readonly media: Media;
}

/** RFC 9143 s7.1.3: what applies to a whole bundle may stand in the tagged section of its description alone. */
function says({ side, media }: End, ...attributes: string[]): boolean {
  const [tag] = bundlesOf(side).find((mids) => mids.includes(media.mid ?? "")) ?? [];
  const tagged = side.media.filter(({ mid }) => mid !== undefined && mid === tag);
  return [media, ...tagged].some((each) => attributes.some((attribute) => has(each, attribute)));
}

function rtcpOf(from: End, to: End): ExpectedFlow["rtcp"] {
  const { media: sender } = from;
  const { media: receiver } = to;
  const bothSay = (...attributes: string[]) => says(from, ...attributes) && says(to, ...attributes);
  const rs = numberAfter(receiver, "b=RS");
  const rr = numberAfter(sender, "b=RR");
  const interval = /a=rtcp-fb:\S+ trr-int (\d+)/.exec(receiver.lines.join("\n"))?.[1];
  // RFC 3611 s5.1: what follows `=` is of the side that says it.
  const xr = (media: Media) =>
    valuesOf(media, "a=rtcp-xr").flatMap((value) =>
      value.split(" ").map((each) => each.replace(/=.*/, "")),
    );
  const bothXr = xr(receiver).filter((each) => xr(sender).includes(each));
  return {
    // RFC 8858 s3: rtcp-mux-only offers what rtcp-mux accepts.
    mux: bothSay("rtcp-mux", "rtcp-mux-only"),
    rsize: bothSay("rtcp-rsize"),
    ...(rs === undefined ? {} : { rs }),
    ...(rr === undefined ? {} : { rr }),
    ...(interval === undefined ? {} : { trrInt: Number(interval) }),
    ...(bothXr.length > 0 ? { xr: bothXr } : {}),
  };
}

// --- sources, streams, layers --------------------------------------------------------------------------------------

/** RFC 5576: sources that the section announces, retransmissions and repair beside what they are of. */
function sourcesOf(sender: Media): string[] {
  const announced = [...new Set(sender.ssrcs.map(({ id }) => id))];
  const pairs = sender.ssrcGroups.flatMap(({ semantics, ssrcs: [primary = 0, other = 0] }) => {
    const role = { FID: "rtx", "FEC-FR": "fec", FEC: "fec" }[semantics];
    const isWhole = announced.includes(primary) && announced.includes(other);
    return role !== undefined && isWhole ? [{ primary, other, role }] : [];
  });
  const secondary = new Set(pairs.map(({ other }) => other));
  return announced
    .filter((ssrc) => !secondary.has(ssrc))
    .map((ssrc) =>
      [
        ssrc,
        ...["rtx", "fec"].flatMap((role) => {
          const pair = pairs.find((each) => each.primary === ssrc && each.role === role);
          return pair ? [role, pair.other] : [];
        }),
      ].join(" "),
    );
}

function streamsOf(sender: Media): { streams: string[]; track?: string } {
  const lines = valuesOf(sender, "a=msid");
  const said =
    lines.length > 0
      ? lines
      : sender.ssrcs.filter(({ attribute }) => attribute === "msid").map(({ value }) => value);
  const pairs = said.map((value) => value.split(/\s+/));
  const track = pairs.find(([, id]) => id !== undefined)?.[1];
  const streams = [...new Set(pairs.map(([stream = "-"]) => stream))].filter((id) => id !== "-");
  return { streams, ...(track === undefined ? {} : { track }) };
}

/** RFC 8834 s4.9: one CNAME for a PeerConnection, so that another section may name it. */
function cnameOf(side: Side, sender: Media): string | undefined {
  const of = (media: Media) => media.ssrcs.find(({ attribute }) => attribute === "cname")?.value;
  return of(sender) ?? side.media.map(of).find((cname) => cname !== undefined);
}

interface Simulcast {
  readonly simulcast?: "accepted" | "declined";
  readonly layers: string[];
  readonly maxBr: number | undefined;
}

/** RFC 8853 s5.3: of what the sender offers to send, what the receiver says it receives. */
function simulcastOf(sender: Media, receiver: Media): Simulcast {
  const listed = (media: Media, direction: string): string[] => {
    const words = (valuesOf(media, "a=simulcast")[0] ?? "").split(/\s+/);
    const at = words.indexOf(direction);
    return at < 0 ? [] : (words[at + 1] ?? "").split(/[;,]/);
  };
  const rids = (media: Media, direction: string): Map<string, string> =>
    new Map(
      valuesOf(media, "a=rid").flatMap((value) => {
        const [rid = "", of, restrictions = ""] = value.split(/\s+/);
        return of === direction ? [[rid, restrictions] as const] : [];
      }),
    );
  const bare = (rid: string) => rid.replace("~", "");
  const declared = rids(sender, "send");
  const offered = listed(sender, "send").filter((rid) => declared.has(bare(rid)));
  if (offered.length === 0) return { layers: [], maxBr: undefined };
  const wanted = listed(receiver, "recv");
  const granted = rids(receiver, "recv");
  const layers = offered
    .filter((rid) => wanted.map(bare).includes(bare(rid)))
    // Either side may have it start paused.
    .map((rid) => (wanted.includes(`~${bare(rid)}`) ? `~${bare(rid)}` : rid));
  // RFC 8851 s6.3: an answer may restrict further. What is paused takes nothing (media-flows.md section 6).
  const rateOf = (rid: string): number =>
    Math.min(
      ...[declared, granted].flatMap((each) => {
        const rate = parametersOf(each.get(rid)).get("max-br");
        return rate === undefined ? [] : [Number(rate)];
      }),
    );
  const rates = layers.filter((rid) => !rid.startsWith("~")).map(rateOf);
  const maxBr = rates.reduce((sum, rate) => sum + rate, 0);
  return {
    simulcast: layers.length > 0 ? "accepted" : "declined",
    layers,
    maxBr: rates.length > 0 && Number.isFinite(maxBr) ? maxBr : undefined,
  };
}

// --- limits --------------------------------------------------------------------------------------------------------

/** What binds the sender: the receiver's b= lines (RFC 8834 s7.1), in bits per second (RFC 8829 s5.10). */
function limitsOf(to: Side, receiver: Media, maxBr: number | undefined): ExpectedFlow["limits"] {
  const receiverAs = numberAfter(receiver, "b=AS");
  const receiverTias = numberAfter(receiver, "b=TIAS");
  const sessionCt = numberAfter(to, "b=CT");
  const bounds: [string, number | undefined][] = [
    ["tias", receiverTias],
    [
      "as",
      receiverTias === undefined && receiverAs !== undefined
        ? Math.max(0, receiverAs * 950 - 16_000)
        : undefined,
    ],
    ["ct", sessionCt === undefined ? undefined : sessionCt * 1000],
    ["layers", maxBr],
  ];
  const known = bounds.flatMap(([source, bps]) => (bps === undefined ? [] : [{ source, bps }]));
  const lowest = known.toSorted((one, other) => one.bps - other.bps)[0];
  return {
    ...(receiverAs === undefined ? {} : { receiverAs }),
    ...(receiverTias === undefined ? {} : { receiverTias }),
    ...(sessionCt === undefined ? {} : { sessionCt }),
    ...(maxBr === undefined ? {} : { layersBps: maxBr }),
    ...(lowest ? { effectiveBps: lowest.bps, source: lowest.source } : {}),
  };
}

/** RFC 8841 s5, s6; the older sctpmap names the port as well. */
function sctpOf(receiver: Media): ExpectedFlow["sctp"] {
  const port = numberAfter(receiver, "a=sctp-port");
  const [mapped] = valuesOf(receiver, "a=sctpmap");
  const known = port ?? (mapped === undefined ? undefined : Number.parseInt(mapped, 10));
  return {
    ...(known === undefined ? {} : { port: known }),
    maxMessageSize: numberAfter(receiver, "a=max-message-size") ?? 65_536,
  };
}

// --- transports ----------------------------------------------------------------------------------------------------

/** The name that a side has given; empty where none has. */
const midOf = (offered: Media, answered: Media): string => offered.mid ?? answered.mid ?? "";

/** Sections that live, by transport; the first of each is the tagged one of both sides (RFC 9143 s7.3, s7.4). */
function partition(offer: Side, answer: Side, pairs: readonly Pair[]): Pair[][] {
  const living = pairs.filter(({ lives }) => lives);
  const offered = bundlesOf(offer);
  const bundleOf = ({ offered: { mid: first }, answered: { mid } }: Pair): string[] | undefined => {
    if (mid === undefined || first !== mid) return undefined;
    const suggested = offered.find((mids) => mids.includes(mid));
    const chosen = bundlesOf(answer).find((mids) => mids.includes(mid));
    return suggested && chosen?.filter((each) => suggested.includes(each));
  };
  const parts = new Map<string, Pair[]>();
  for (const pair of living) {
    const bundle = bundleOf(pair);
    const key = bundle ? `bundle ${bundle.join(" ")}` : `section ${pair.offered.index}`;
    const order = bundle ?? [];
    const rank = (each: Pair) => order.indexOf(each.answered.mid ?? "");
    parts.set(
      key,
      [...(parts.get(key) ?? []), pair].toSorted((one, other) => rank(one) - rank(other)),
    );
  }
  return [...parts.values()].toSorted(
    ([one], [other]) => one!.offered.index - other!.offered.index,
  );
}

/** All that were announced, of both components: those of RTCP count even where it is multiplexed in the end. */
function candidateCounts(media: Media): CandidateCounts {
  const counts: CandidateCounts = { host: 0, srflx: 0, prflx: 0, relay: 0 };
  for (const line of new Set(valuesOf(media, "a=candidate"))) {
    const type = / typ (host|srflx|prflx|relay)( |$)/.exec(line)?.[1];
    if (type !== undefined) counts[type as keyof CandidateCounts] += 1;
  }
  return counts;
}

function transportOf(offer: Side, answer: Side, pairs: readonly Pair[]): ExpectedTransport {
  const { offered, answered } = pairs[0]!;
  const media = pairs.find((pair) => kindOf(pair.offered) !== "data");
  const muxes = (side: Side, section: Media) =>
    says({ side, media: section }, "rtcp-mux", "rtcp-mux-only");
  const rtcpMux = media && muxes(offer, media.offered) && muxes(answer, media.answered);
  const [setup] = inherited(answer, answered, "a=setup");
  const client: Party = setup === "passive" ? "offerer" : "answerer";
  const fingerprints = (side: Side, section: Media): string[] =>
    inherited(side, section, "a=fingerprint").map((value) => {
      const [hash = "", digest = ""] = value.split(" ");
      return `${hash.toLowerCase()} ${digest.toUpperCase()}`;
    });
  const [offererUfrag] = inherited(offer, offered, "a=ice-ufrag");
  const [answererUfrag] = inherited(answer, answered, "a=ice-ufrag");
  return {
    // RFC 3264 s6: sections correspond by their order, so that the place is a name where there is no mid.
    mids: pairs.map(({ mid, offered: { index } }) => (mid === "" ? `i${index}` : mid)),
    ...(rtcpMux === undefined ? {} : { rtcpMux }),
    dtls: {
      client,
      server: client === "offerer" ? "answerer" : "offerer",
      fingerprints: {
        offerer: fingerprints(offer, offered),
        answerer: fingerprints(answer, answered),
      },
    },
    ufrags: {
      ...(offererUfrag === undefined ? {} : { offerer: offererUfrag }),
      ...(answererUfrag === undefined ? {} : { answerer: answererUfrag }),
    },
    candidates: {
      offerer: candidateCounts(offered),
      answerer: candidateCounts(answered),
    },
  };
}

// --- the pair ------------------------------------------------------------------------------------------------------

const PARTIES = ["offerer", "answerer"] as const;

/** What a flow is made of, beside where it runs. */
function contentsOf(from: End, to: End) {
  const { media: sender } = from;
  const { media: receiver } = to;
  if (kindOf(sender) === "data") {
    return {
      codecs: [],
      sources: [],
      layers: [],
      streams: [],
      feedback: [],
      headerExtensions: [],
      limits: limitsOf(to.side, receiver, undefined),
      sctp: sctpOf(receiver)!,
    };
  }
  const agreed = agreedFormats(sender, receiver);
  const feedback = feedbackAgreed(sender, receiver, agreed);
  const { maxBr, ...simulcast } = simulcastOf(sender, receiver);
  const cname = cnameOf(from.side, sender);
  return {
    codecs: agreed.map(codecText),
    sources: sourcesOf(sender),
    ...simulcast,
    ...streamsOf(sender),
    ...(cname === undefined ? {} : { cname }),
    feedback,
    congestion: congestionOf(feedback)!,
    repair: repairOf(feedback, agreed),
    headerExtensions: extensionsOf(sender, receiver),
    rtcp: rtcpOf(from, to)!,
    limits: limitsOf(to.side, receiver, maxBr),
  };
}

/** What a first exchange of these two descriptions leaves. */
export function expectationOf(offerText: string, answerText: string): Expectation {
  const offer = readSide(offerText);
  const answer = readSide(answerText);
  const pairs = offer.media.map((offered): Pair => {
    // RFC 3264 s6: as many sections, of the same media; anything else is no answer to it.
    const answered = answer.media[offered.index] ?? { ...offered, port: 0 };
    const isSame = answered.type === offered.type;
    const lives = isOffered(offer, offered) && answered.port !== 0 && isSame;
    return { offered, answered, mid: midOf(offered, answered), lives };
  });
  const parts = partition(offer, answer, pairs);
  const flows: ExpectedFlow[] = [];
  const ended: string[] = [];
  for (const pair of pairs) {
    const { offered, answered, mid, lives } = pair;
    const kind = kindOf(offered);
    if (kind === undefined || !isOffered(offer, offered)) continue;
    for (const party of PARTIES) {
      const one: End = { side: offer, media: offered };
      const other: End = { side: answer, media: answered };
      const [from, to] = party === "offerer" ? [one, other] : [other, one];
      const isProposed = party === "offerer" ? sends(offer, offered) : receives(offer, offered);
      const isWanted = sends(from.side, from.media) && receives(to.side, to.media);
      const isAgreed = lives && isWanted && (kind === "data" || hasCodec(from.media, to.media));
      if (isAgreed) {
        const transport = parts.findIndex((part) => part.includes(pair));
        flows.push({
          section: offered.index,
          mid,
          kind,
          from: party,
          state: "negotiated",
          transport,
          ...contentsOf(from, to),
        });
      } else if (isProposed) {
        ended.push(`${offered.index} ${party} ${lives ? "not-accepted" : "rejected"}`);
      }
    }
  }
  return { flows, ended, transports: parts.map((part) => transportOf(offer, answer, part)) };
}
