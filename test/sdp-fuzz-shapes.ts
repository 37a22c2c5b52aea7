/**
 * Descriptions that a hostile peer would write to make reading and checking expensive: much of one thing, up to the
 * limits of D4. Work must grow with their size and no faster.
 */

/** A hostile description of any size: at a share of 1 it fills the limits of D4. */
export interface Shape {
  readonly name: string;
  readonly textOf: (share: number) => string;
}

/** A little below the limits, for what stands around it. */
const MOST_BYTES = 500_000;
const MOST_LINES = 15_800;
const MOST_SECTIONS = 256;

const SESSION = ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0"];
const BUNDLE = "a=group:BUNDLE 0";
const CERTIFICATE = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "A5").join(":")}`;
const TRANSPORT = [
  "c=IN IP4 0.0.0.0",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:0123456789012345678901",
  CERTIFICATE,
  "a=setup:active",
];
const PROTOCOL = "UDP/TLS/RTP/SAVPF";
const VIDEO = [
  `m=video 9 ${PROTOCOL} 96`,
  ...TRANSPORT,
  "a=mid:0",
  "a=sendrecv",
  "a=rtcp-mux",
  "a=rtpmap:96 VP8/90000",
];

const joined = (...parts: readonly (readonly string[])[]): string =>
  parts
    .flat()
    .map((line) => `${line}\r\n`)
    .join("");

type LineOf = (index: number) => string;

/** As many lines as fit into a share of the limits, `group` of them made by one call. */
function many(share: number, lineOf: LineOf): string[] {
  const bytes = lineOf(MOST_LINES).length + 2;
  const most = Math.min(MOST_LINES, Math.floor(MOST_BYTES / bytes));
  return Array.from({ length: Math.floor(most * share) }, (_none, index) => lineOf(index));
}

/** One text as long as a share of the limits, made of words with this between them. */
const long = (share: number, wordOf: LineOf, between: string): string => {
  const most = Math.floor(MOST_BYTES / (wordOf(99_999).length + between.length));
  return Array.from({ length: Math.floor(most * share) }, (_none, index) => wordOf(index)).join(
    between,
  );
};

const blanks = (share: number): string => " ".repeat(Math.floor(MOST_BYTES * share));

/** Many lines in a section. */
const lines = (name: string, lineOf: LineOf): Shape => ({
  name: `lines: ${name}`,
  textOf: (share) => joined(SESSION, [BUNDLE], VIDEO, many(share, lineOf)),
});

/** Many lines before the first section. */
const sessionLines = (name: string, lineOf: LineOf): Shape => ({
  name: `session lines: ${name}`,
  textOf: (share) => joined(SESSION, [BUNDLE], many(share, lineOf), VIDEO),
});

/** One long line in a section. */
const longLine = (name: string, lineOf: (share: number) => string): Shape => ({
  name: `long line: ${name}`,
  textOf: (share) => joined(SESSION, [BUNDLE], VIDEO, [lineOf(share)]),
});

/** Sections as many as the share says, all in one bundle. */
const sections = (name: string, linesOf: (index: number, share: number) => string[]): Shape => ({
  name: `sections: ${name}`,
  textOf: (share) => {
    const count = Math.max(1, Math.floor(MOST_SECTIONS * share));
    const mids = Array.from({ length: count }, (_none, index) => index);
    const media = mids.flatMap((mid) => [
      ...VIDEO.map((line) => (line === "a=mid:0" ? `a=mid:${mid}` : line)),
      ...linesOf(mid, share),
    ]);
    return joined(SESSION, [`a=group:BUNDLE ${mids.join(" ")}`], media);
  },
});

/** Sections that say little and inherit a lot, as many of the one as of the other. */
const heirs = (name: string, lineOf: LineOf, where: "session" | "tagged"): Shape => ({
  name: `heirs of the ${where} part: ${name}`,
  textOf: (share) => {
    const mids = Array.from(
      { length: Math.max(2, MOST_SECTIONS * share) },
      (_none, index) => index,
    );
    const legacy = many(share * 0.8, lineOf);
    const heir = (mid: number): string[] => [
      `m=video 9 ${PROTOCOL} 96`,
      "c=IN IP4 0.0.0.0",
      `a=mid:${mid}`,
      "a=rtcp-mux",
      "a=rtpmap:96 VP8/90000",
    ];
    return joined(
      SESSION,
      [`a=group:BUNDLE ${mids.join(" ")}`],
      where === "session" ? legacy : [],
      heir(0),
      where === "tagged" ? legacy : [],
      mids.slice(1).flatMap(heir),
    );
  },
});

const hex = (index: number): string => index.toString(16).padStart(4, "0").toUpperCase();
const fingerprint = (index: number): string =>
  `a=fingerprint:sha-256 ${hex(index).slice(0, 2)}:${hex(index).slice(2)}:AA`;

const ATTRIBUTES: readonly Shape[] = [
  lines("rtpmap of other formats", (n) => `a=rtpmap:${n} x${n}/90000`),
  lines("rtpmap of one format", (n) => `a=rtpmap:96 x${n}/90000`),
  lines("fmtp of other formats", (n) => `a=fmtp:${n} apt=${n}`),
  lines("fmtp of one format", (n) => `a=fmtp:96 p${n}=1`),
  lines("rtcp-fb of other formats", (n) => `a=rtcp-fb:${n} nack`),
  lines("rtcp-fb of other types", (n) => `a=rtcp-fb:* x${n}`),
  lines("extmap", (n) => `a=extmap:${n} urn:${n}`),
  lines("extmap of one id", (n) => `a=extmap:1 urn:${n}`),
  lines("extmap of one URI", (n) => `a=extmap:${n} urn:ietf:params:rtp-hdrext:encrypt urn:1`),
  lines("extmap that cannot be read", (n) => `a=extmap:${n}`),
  lines("ssrc with cname", (n) => `a=ssrc:${n} cname:${n}`),
  lines("ssrc with msid", (n) => `a=ssrc:${n} msid:${n} ${n}`),
  lines("attributes of one ssrc", (n) => `a=ssrc:1 cname:${n}`),
  lines("ssrc-group", (n) => `a=ssrc-group:FID ${n} ${n + 1}`),
  lines("rid", (n) => `a=rid:${n} send pt=96;max-width=${n}`),
  lines("rid of one id", () => "a=rid:1 send"),
  lines("simulcast", (n) => `a=simulcast:send ${n}`),
  lines("candidate", (n) => `a=candidate:${n} 1 udp 1 192.0.2.1 ${n} typ host`),
  lines("candidate that is there", () => "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"),
  lines("candidate that cannot be read", (n) => `a=candidate:${n}`),
  lines("fingerprint", fingerprint),
  lines("fingerprint of another hash", (n) => `a=fingerprint:x${n} AA`),
  lines("mid", (n) => `a=mid:${n}`),
  lines("msid", (n) => `a=msid:${n} ${n}`),
  lines("crypto", (n) => `a=crypto:${n} AES_CM_128_HMAC_SHA1_80 inline:x`),
  lines("direction", (n) => (n % 2 === 0 ? "a=sendonly" : "a=recvonly")),
  lines("setup", () => "a=setup:holdconn"),
  lines("ice-ufrag", (n) => `a=ice-ufrag:${n}`),
  lines("ice-options", (n) => `a=ice-options:${n},`),
  lines("tls-id", (n) => `a=tls-id:${n}`),
  lines("identity", (n) => `a=identity:${n}`),
  lines("ptime", (n) => `a=ptime:${n}`),
  lines("rtcp", (n) => `a=rtcp:${n} IN IP4 192.0.2.1`),
  lines("bandwidth", (n) => `b=TIAS:${n}`),
  lines("bandwidth of other types", (n) => `b=X${n}:1`),
  lines("connection", (n) => `c=IN IP4 ${n}`),
  lines("key", () => "k=x"),
  lines("unknown attribute", (n) => `a=x${n}`),
  lines("no line at all", (n) => `${n}`),
  lines("empty line", () => ""),
  lines("line out of order", (n) => (n % 2 === 0 ? "c=" : "i=")),
  lines("blank at the end", () => "a=x "),
  lines("control character", () => "a=\u0001"),
  lines("half a character", () => "a=\ud800"),
];

const SESSION_ATTRIBUTES: readonly Shape[] = [
  sessionLines("BUNDLE group", (n) => `a=group:BUNDLE ${n}`),
  sessionLines("BUNDLE group of one mid", () => "a=group:BUNDLE 0"),
  sessionLines("LS group", (n) => `a=group:LS ${n}`),
  sessionLines("group of other semantics", (n) => `a=group:X${n} 0`),
  sessionLines("group that cannot be read", () => "a=group:"),
  sessionLines("extmap", (n) => `a=extmap:${n} urn:${n}`),
  sessionLines("fingerprint", fingerprint),
  sessionLines("bandwidth", (n) => `b=AS:${n}`),
  sessionLines("ice-lite", () => "a=ice-lite"),
  sessionLines("origin", (n) => `o=- ${n} ${n} IN IP4 0.0.0.0`),
  sessionLines("time", (n) => (n % 2 === 0 ? "t=0 0" : "r=x")),
];

const LONG_LINES: readonly Shape[] = [
  longLine("simulcast", (share) => `a=simulcast:send ${long(share, (n) => `${n}`, ";")}`),
  longLine("alternatives", (share) => `a=simulcast:recv ${long(share, (n) => `~${n}`, ",")}`),
  longLine("ssrc-group", (share) => `a=ssrc-group:FID ${long(share, (n) => `${n}`, " ")}`),
  longLine("fmtp", (share) => `a=fmtp:96 ${long(share, (n) => `p${n}=1`, ";")}`),
  longLine("rid restrictions", (share) => `a=rid:1 send ${long(share, (n) => `max-${n}=x`, ";")}`),
  longLine("rid formats", (share) => `a=rid:1 send pt=${long(share, (n) => `${n}`, ",")}`),
  longLine("candidate", (share) => `a=candidate:${long(share, (n) => `${n}`, " ")}`),
  longLine(
    "candidate extensions",
    (share) => `a=candidate:1 1 udp 1 ::1 9 typ host ${long(share, (n) => `x${n} y`, " ")}`,
  ),
  longLine("ice-options", (share) => `a=ice-options:${long(share, (n) => `x${n}`, ",")}`),
  longLine("fingerprint", (share) => `a=fingerprint:sha-256 ${long(share, () => "AA", ":")}`),
  longLine("cname of dots", (share) => `a=ssrc:1 cname:${long(share, () => "1", ".")}`),
  longLine("cname of colons", (share) => `a=ssrc:1 cname:${long(share, () => "a", ":")}`),
  longLine("cname of mail signs", (share) => `a=ssrc:1 cname:${long(share, () => "a", "@")}`),
  longLine("extmap identifier", (share) => `a=extmap:${long(share, () => "1", "1")}/ urn:x`),
  longLine("extmap attributes", (share) => `a=extmap:1 urn:x ${long(share, () => "a", " ")}`),
  longLine("rtcp-fb", (share) => `a=rtcp-fb:96 ${long(share, () => "a", " ")}`),
  longLine("address", (share) => `a=candidate:1 1 udp 1 ${long(share, () => "f", ":")} 9 typ host`),
  ...["rtpmap:96", "ssrc:1", "fmtp:96", "extmap:1", "group:BUNDLE", "rtcp-fb:96"].map((attribute) =>
    longLine(`blanks of ${attribute}`, (n) => `a=${attribute}${blanks(n)}x:/`),
  ),
  ...["candidate:1", "fingerprint:sha-256", "simulcast:send", "rid:1", "setup:", "msid:x"].map(
    (attribute) => longLine(`blanks of ${attribute}`, (n) => `a=${attribute}${blanks(n)}x\u2028`),
  ),
  {
    name: "long line: origin",
    textOf: (share) =>
      joined(["v=0", `o=- ${long(share, () => "0", "0")} 1 IN IP4 0.0.0.0`, "s=-"], VIDEO),
  },
  {
    name: "long line: origin of many words",
    textOf: (share) => joined(["v=0", `o=- 1 1 IN IP4 ${long(share, () => "0", " ")}`], VIDEO),
  },
  {
    name: "long line: members of a bundle",
    textOf: (share) => {
      const mids = long(share, (n) => `${n}`, " ");
      return joined(SESSION, [`a=group:BUNDLE ${mids}`], VIDEO);
    },
  },
  {
    name: "long line: formats",
    textOf: (share) =>
      joined(SESSION, [`m=video 9 ${PROTOCOL} ${long(share, (n) => `${n}`, " ")}`]),
  },
  {
    name: "long line: one format",
    textOf: (share) =>
      joined(SESSION, [`m=video 9 ${PROTOCOL} ${long(share, () => "96", " ")}`], VIDEO.slice(1)),
  },
  {
    name: "long line: blanks of an m-line",
    textOf: (share) => joined(SESSION, [`m=video${blanks(share)}9 x 96`]),
  },
];

const numbered = (count: number, lineOf: LineOf): string[] =>
  Array.from({ length: count }, (_none, index) => lineOf(index));

const SECTIONS: readonly Shape[] = [
  sections("few lines", () => []),
  sections("other ssrcs", (mid) => numbered(50, (n) => `a=ssrc:${mid * 100 + n} cname:x`)),
  sections("the same ssrcs", () => numbered(50, (n) => `a=ssrc:${n} cname:x`)),
  sections("the same extmaps", () => numbered(50, (n) => `a=extmap:${n} urn:${n}`)),
  sections("other extmaps", (mid) => numbered(50, (n) => `a=extmap:${n} urn:${mid}:${n}`)),
  sections("the same rtpmaps", () => numbered(50, (n) => `a=rtpmap:${n} x/90000`)),
  sections("other candidates", (mid) =>
    numbered(20, (n) => `a=candidate:${mid} 1 udp 1 192.0.2.1 ${n} typ host`),
  ),
  sections("simulcast", () => [
    ...numbered(20, (n) => `a=rid:${n} send`),
    `a=simulcast:send ${numbered(20, (n) => `${n}`).join(";")}`,
  ]),
  heirs("extmap", (n) => `a=extmap:${n} urn:${n}`, "session"),
  heirs("fingerprint", fingerprint, "session"),
  heirs("fingerprint", fingerprint, "tagged"),
  heirs("bandwidth", (n) => `b=TIAS:${n}`, "session"),
  heirs("ssrc", (n) => `a=ssrc:${n} cname:x`, "tagged"),
  heirs("candidate", (n) => `a=candidate:${n} 1 udp 1 192.0.2.1 9 typ host`, "tagged"),
  heirs("BUNDLE group", (n) => `a=group:BUNDLE ${n} ${n + 1}`, "session"),
  heirs("ice-options", (n) => `a=ice-options:x${n}`, "session"),
  {
    name: "sections: formats",
    textOf: (share) => {
      const formats = long(1 / MOST_SECTIONS, (n) => `${n}`, " ");
      const media = [`m=video 9 ${PROTOCOL} ${formats}`];
      const count = Math.floor(MOST_SECTIONS * share * 0.95);
      return joined(SESSION, Array.from({ length: count }, () => media).flat());
    },
  },
  {
    name: "formats, each with rtpmap, fmtp and rtcp-fb",
    textOf: (share) => {
      const count = Math.floor(4_500 * share);
      const formats = numbered(count, (n) => `${n}`);
      return joined(
        SESSION,
        [`m=video 9 ${PROTOCOL} ${formats.join(" ")}`, ...VIDEO.slice(1)],
        formats.flatMap((n) => [
          `a=rtpmap:${n} rtx/90000`,
          `a=fmtp:${n} apt=${n}`,
          `a=rtcp-fb:${n} nack`,
        ]),
      );
    },
  },
  {
    name: "rids with their simulcast",
    textOf: (share) => {
      const rids = many(share * 0.6, (n) => `a=rid:${n} send`);
      const list = rids.map((_rid, index) => `${index}`).join(";");
      return joined(SESSION, VIDEO, rids, [`a=simulcast:send ${list}`]);
    },
  },
  {
    name: "groups, each of many mids",
    textOf: (share) => {
      const count = Math.floor(700 * Math.sqrt(share));
      const mids = numbered(Math.floor(count / 4), (n) => `${n}`).join(" ");
      return joined(
        SESSION,
        numbered(count, () => `a=group:BUNDLE ${mids}`),
        VIDEO,
      );
    },
  },
];

/** All of them. */
export const SHAPES: readonly Shape[] = [
  ...ATTRIBUTES,
  ...SESSION_ATTRIBUTES,
  ...LONG_LINES,
  ...SECTIONS,
];
