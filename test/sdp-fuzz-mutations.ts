/** Ways to break a description. */

/** Numbers at random, the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number, index: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  }

  /** From 0 to one less than `bound`. */
  below(bound: number): number {
    return this.next() % bound;
  }

  /** True once in `times`. */
  chance(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Mostly small: every power of two up to `bound` is as likely as the next. */
  small(bound: number): number {
    return 1 + this.below(2 ** (1 + this.below(Math.floor(Math.log2(bound)))));
  }
}

/** Changes some lines of a description, in place. */
type Mutation = (random: Random, lines: string[], others: readonly string[]) => void;

const place = (random: Random, lines: readonly string[]): number => random.below(lines.length);
const lineAt = (lines: readonly string[], index: number): string => lines[index] ?? "";

/** Changes one line. */
const inLine =
  (change: (random: Random, line: string, lines: readonly string[]) => string): Mutation =>
  (random, lines) => {
    const index = place(random, lines);
    lines[index] = change(random, lineAt(lines, index), lines);
  };

/** Replaces a part of a text that starts at `index`. */
const spliced = (text: string, index: number, length: number, by: string): string =>
  text.slice(0, index) + by + text.slice(index + length);

/** What breaks readers: ends of lines, controls, letters of several bytes, halves of them, blanks that are none. */
const NASTY = [
  ..."\r\n\0\t\u001b\u007f\u0085\u00a0\u00e9\u0130\u200b\u2028\u2029\u202e\u3000\ufeff\uffff",
  "\ud800",
  "\udfff",
  "\u{1f3a5}",
  "",
  " ",
  "  ",
  ":",
  ";",
  "/",
  "=",
  ",",
  "~",
  "*",
  "%",
  "-",
  "@",
  ".",
  "\\",
  '"',
  "<b>",
];

/** Words that mean something else in JavaScript, or something special in SDP. */
const WORDS = [
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "prototype",
  "NaN",
  "Infinity",
  "-0",
  "0",
  "00",
  "1",
  "96",
  "undefined",
  "null",
  "true",
  "i0",
  "BUNDLE",
  "LS",
  "FID",
  "SIM",
  "send",
  "recv",
  "rtx",
  "red",
  "apt=96",
  "opus/48000/2",
  "H264/90000",
  "typ",
  "host",
  "{7ca411b0-9f2a}",
  "a".repeat(300),
];

const NUMBERS = [
  "0",
  "-1",
  "00",
  "1",
  "9",
  "15",
  "16",
  "127",
  "128",
  "255",
  "256",
  "4095",
  "4096",
  "65535",
  "65536",
  "2147483648",
  "4294967295",
  "4294967296",
  "9007199254740993",
  "9223372036854775808",
  "1e309",
  "0x10",
  "1.5",
  "9".repeat(20),
  "0".repeat(40),
  "7".repeat(1000),
];

/** Lines that say something wherever they stand. */
const LINES = [
  "",
  "a=",
  "a=:",
  "a= ",
  "m=",
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "m=audio 0 UDP/TLS/RTP/SAVPF 111",
  "m=video 9 RTP/AVP 96 96 0 127 128",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "m=application 9 DTLS/SCTP 5000",
  "m=video 9 UDP/TLS/RTP/SAVPF",
  "a=group:BUNDLE",
  "a=group:BUNDLE 0 1 2",
  "a=group:BUNDLE 1 0 0",
  "a=group:LS 0 9",
  "a=mid:0",
  "a=mid:1",
  "a=mid:__proto__",
  "a=mid:",
  "a=bundle-only",
  "a=rtcp-mux",
  "a=rtcp-mux-only",
  "a=ice-lite",
  "a=sendonly",
  "a=inactive",
  "a=setup:active",
  "a=setup:passive",
  "a=setup:actpass",
  "a=fingerprint:sha-1 AA",
  "a=extmap:0 urn:x",
  "a=extmap:4096 urn:x",
  "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:encrypt urn:x",
  "a=rid:1 send pt=96;max-width=x",
  "a=simulcast:send 1,~2;3 recv 4",
  "a=ssrc:1 cname:janus",
  "a=ssrc:1 msid:a b",
  "a=ssrc-group:FID 1",
  "a=ssrc-group:SIM 1 2 3",
  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
  "a=candidate:1 1 udp 1 192.0.2.1 1 typ host",
  "a=candidate:1 1 tcp 0 ::1 99999 typ srflx raddr",
  "a=rtpmap:96 rtx/90000",
  "a=fmtp:96 apt=96",
  "a=rtcp-fb:* nack",
  "b=AS:0",
  "b=TIAS:1",
  "b=RS:0",
  "k=clear:x",
  "b=CT:1",
  "b=AS:999999",
  "b=RR:0",
  "b=X-Y:1",
  "a=key-mgmt:x",
  "a=identity:x",
  "a=cryptex",
  "a=ptime:0",
  "a=tls-id:x",
  "a=setup:holdconn",
  "a=fingerprint:md5 AA",
  "a=rtcp-rgrp",
  "a=extmap:3/up urn:x",
  "a=ssrc:1 cname:me@example.org",
  "a=ssrc:1 previous-ssrc:5",
  "a=candidate:1 1 udp 0 127.0.0.1 70000 typ srflx",
  "a=candidate:1 1 udp 1 224.0.0.1 9 typ host",
  "a=rid:a_b recv",
  "a=simulcast:send 1;1",
  "a=rtcp-fb:* trr-int 9000",
  "a=fmtp:96 sprop-parameter-sets=x;usedtx=1",
  "a=sctp-port:0",
  "a=max-message-size:0",
  "a=mid:\ud800",
  "m=audio 9/2 TCP/DTLS/RTP/SAVPF 0",
];

const DIGITS = /\d+/g;

/** Changes one of the matches of a pattern, if there is any. */
function atMatch(random: Random, line: string, pattern: RegExp, by: (match: string) => string) {
  const matches = [...line.matchAll(pattern)];
  if (matches.length === 0) return line;
  const match = random.pick(matches);
  return spliced(line, match.index, match[0].length, by(match[0]));
}

/** `a=mid:` and `0` of `a=mid:0`; a line without a colon is all name. */
function partsOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon + 1), line.slice(colon + 1)];
}

const isMediaLine = (line: string): boolean => line.startsWith("m=");

/** A run of lines of another description: one of its sections, or any. */
function runOf(random: Random, other: string): string[] {
  const lines = other.split("\r\n");
  const starts = lines.flatMap((line, index) => (isMediaLine(line) ? [index] : []));
  const isSection = starts.length > 0 && random.chance(2);
  const from = isSection ? random.pick(starts) : random.below(lines.length);
  const next = starts.find((start) => start > from) ?? lines.length;
  return lines.slice(from, isSection ? next : from + random.small(32));
}

const anyCharacter = (random: Random): string =>
  random.chance(2)
    ? random.pick(NASTY)
    : String.fromCharCode(random.below(random.chance(4) ? 0x10000 : 0x80));

const MUTATIONS: readonly Mutation[] = [
  // Removes lines that follow each other.
  (random, lines) => lines.splice(place(random, lines), random.small(4)),
  (random, lines) => lines.splice(place(random, lines), 1),
  // Says a line twice, in its place or in another.
  (random, lines) => {
    const line = random.pick(lines);
    lines.splice(random.chance(2) ? lines.indexOf(line) : place(random, lines), 0, line);
  },
  // Swaps two lines.
  (random, lines) => {
    const [one, other] = [place(random, lines), place(random, lines)];
    const line = lineAt(lines, one);
    lines[one] = lineAt(lines, other);
    lines[other] = line;
  },
  // Moves a line.
  (random, lines) => {
    const moved = lines.splice(place(random, lines), 1);
    lines.splice(random.below(lines.length + 1), 0, ...moved);
  },
  // Repeats a line.
  (random, lines) => {
    const index = place(random, lines);
    const bound = random.chance(100) ? 8192 : 16;
    const copies = Array.from({ length: random.small(bound) }, () => lineAt(lines, index));
    const isCounted = random.chance(2);
    const counted = copies.map((line, copy) => (isCounted ? line.replace(/\d+/, `${copy}`) : line));
    lines.splice(index, 0, ...counted);
  },
  // Puts in what another description says.
  (random, lines, others) => {
    const run = runOf(random, random.pick(others));
    lines.splice(random.below(lines.length + 1), random.chance(2) ? run.length : 0, ...run);
  },
  // Begins as one description and ends as another.
  (random, lines, others) => {
    const other = random.pick(others).split("\r\n");
    lines.splice(place(random, lines), lines.length, ...other.slice(random.below(other.length)));
  },
  // Puts in a line that means something.
  (random, lines) => lines.splice(random.below(lines.length + 1), 0, random.pick(LINES)),
  // Flips characters.
  inLine((random, line) =>
    spliced(line, random.below(line.length + 1), random.below(2), anyCharacter(random)),
  ),
  inLine((random, line) => {
    const index = random.below(line.length + 1);
    const code = line.charCodeAt(index) || 0;
    return spliced(line, index, 1, String.fromCharCode(code ^ (1 << random.below(8))));
  }),
  // Cuts a line.
  inLine((random, line) => line.slice(0, random.below(line.length + 1))),
  // Blows up numbers.
  inLine((random, line) => atMatch(random, line, DIGITS, () => random.pick(NUMBERS))),
  inLine((random, line) => atMatch(random, line, DIGITS, () => String(random.next()))),
  inLine((random, line) =>
    atMatch(random, line, DIGITS, (digits) => String(Number(digits) + random.below(3) - 1)),
  ),
  // Gives a line the value of another, or a word of it.
  inLine((random, line, lines) => partsOf(line)[0] + partsOf(random.pick(lines))[1]),
  (random, lines) => {
    const [one, other] = [place(random, lines), place(random, lines)];
    const [name, value] = partsOf(lineAt(lines, one));
    const [otherName, otherValue] = partsOf(lineAt(lines, other));
    lines[one] = name + otherValue;
    lines[other] = otherName + value;
  },
  inLine((random, line, lines) => {
    const source = random.chance(2) ? WORDS : random.pick(lines).split(/[ :;]/);
    return atMatch(random, line, /[^ :;=]+/g, () => random.pick(source));
  }),
  inLine((random, line) => partsOf(line)[0] + random.pick(WORDS)),
  inLine((random, line) => `${line}${random.chance(2) ? " " : ";"}${random.pick(WORDS)}`),
  // Takes the value away, or a word of it.
  inLine((_random, line) => partsOf(line)[0]),
  inLine((random, line) => atMatch(random, line, / ?[^ :]+/g, () => "")),
  // Repeats a word.
  inLine((random, line) =>
    atMatch(random, line, / ?[^ :]+/g, (word) => word.repeat(random.small(16))),
  ),
  // Changes blanks and letters.
  inLine((random, line) =>
    atMatch(random, line, / /g, () => random.pick(["\t", "  ", "", "\u00a0"])),
  ),
  inLine((random, line) => (random.chance(2) ? line.toUpperCase() : line.toLowerCase())),
  // Rejects a section, or makes it another one.
  (random, lines) => {
    const starts = lines.flatMap((line, index) => (isMediaLine(line) ? [index] : []));
    if (starts.length === 0) return;
    const index = random.pick(starts);
    const words = lineAt(lines, index).split(" ");
    const change = random.below(4);
    if (change === 0) words[1] = "0";
    else if (change === 1)
      words[0] = random.pick(["m=audio", "m=video", "m=application", "m=text"]);
    else if (change === 2) words[2] = random.pick(["RTP/AVP", "DTLS/SCTP", "UDP/TLS/RTP/SAVPF"]);
    else words.push(...Array.from({ length: random.small(64) }, (_, n) => `${n + 90}`));
    lines[index] = words.join(" ");
  },
  // Another direction.
  (random, lines) => {
    const said = lines.flatMap((line, index) =>
      /^a=(?:sendrecv|sendonly|recvonly|inactive)$/.test(line) ? [index] : [],
    );
    if (said.length === 0) return;
    const directions = ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"];
    lines[random.pick(said)] = random.pick(directions);
  },
];

/** Ends of lines as they come, and as they do not. */
const LINE_ENDS = ["\n", "\r", "\n\r", "\r\r\n", "\r\n\r\n", "\0", "\u2028", " \r\n"];

/** A description broken in one to some dozen ways; `others` give what it is spliced with. */
export function mutated(random: Random, sdp: string, others: readonly string[]): string {
  const lines = sdp.split("\r\n");
  for (let left = random.small(16); left > 0 && lines.length > 0; left -= 1) {
    random.pick(MUTATIONS)(random, lines, others);
  }
  const end = random.chance(50) ? random.pick(LINE_ENDS) : "\r\n";
  const text = lines.join(end);
  return random.chance(50) ? text.slice(0, random.below(text.length + 1)) : text;
}
