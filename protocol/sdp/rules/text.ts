import { exceedsBytes } from "../../utf8.ts";
import { DIRECTIONS } from "../grammar.ts";
import { hasControl, type Line } from "../line.ts";
import { type DescriptionRule, eachSection, type Hit, NO_HITS, own, wherePlain } from "../rule.ts";
import { carriesData, type Part } from "../section.ts";
import { eachPart } from "./scopes.ts";

const MOST_CANDIDATES = 64;
const LARGE_BYTES = 65_536;
const LONGEST_LINE_BYTES = 4096;

/** Hits for the lines that the condition holds for, in a text that may have such lines. */
const ofLines =
  (
    condition: (line: Line) => boolean,
    mayHave: (text: string) => boolean,
  ): DescriptionRule["find"] =>
  ({ description: { lines, text } }) =>
    mayHave(text) ? lines.filter(condition).map(({ number: line }) => ({ line })) : NO_HITS;

/** Hits for all lines of this type, rejected sections included. */
const ofType =
  (type: string): DescriptionRule["find"] =>
  ({ description: { session, sections } }) => {
    const hits: Hit[] = [];
    for (const { plainLines } of [session, ...sections]) {
      for (const line of plainLines) if (line.type === type) hits.push({ line: line.number });
    }
    return hits;
  };

const BLANK = 0x20;
const TAB = 0x09;

/** `s= ` is a session without a name (RFC 8866 s5.3). */
function endsInBlank({ type, value }: Line): boolean {
  const last = value.charCodeAt(value.length - 1);
  return (last === BLANK || last === TAB) && !(type === "s" && value === " ");
}

const SESSION_ORDER = "vosiuepcbtrzka";
const SECTION_ORDER = "micbka";
const ORDERED = new Set(SESSION_ORDER + SECTION_ORDER);

/** Lines that stand behind one that belongs behind them; in a section, those of the session part do so always. */
function misplaced(lines: readonly Line[], order: string): Hit[] {
  const hits: Hit[] = [];
  let before: string | undefined;
  for (const { number, type } of lines) {
    // Mostly attributes follow each other.
    if (type === before || !ORDERED.has(type)) continue;
    // Each time has its own repetitions and time zones: t r z t r z (RFC 8866 s9).
    const isNextTime = type === "t" && (before === "r" || before === "z");
    const isBehind = before !== undefined && order.indexOf(before) > order.indexOf(type);
    if (isBehind && !isNextTime) hits.push({ line: number });
    before = type;
  }
  return hits;
}

const misplacedInSections = eachSection(({ lines }) => misplaced(lines, SECTION_ORDER));

/** `audio 49170/2 RTP/AVP 0` */
const PORT_COUNT = /^ *[^ ]+ +\d+\//;

/** Attributes of which a section has one at most. */
const SINGLE_ATTRIBUTES = [
  "mid",
  "setup",
  "ice-ufrag",
  "ice-pwd",
  "ice-options",
  "rtcp",
  "rtcp-mux",
  "tls-id",
  "sctp-port",
  "max-message-size",
  "ptime",
  "maxptime",
];

const USUAL_MEDIA = new Set(["audio", "video", "application"]);

const hasConnection = ({ plainLines }: Pick<Part, "plainLines">): boolean =>
  plainLines.some(({ type }) => type === "c");

/** Rules about the text as such: size, lines and their order, m-lines, what may be said only once (RFC 8866). */
export const TEXT_RULES: readonly DescriptionRule[] = [
  {
    id: "sdp-too-large",
    on: "both",
    level: "error",
    strict: "error",
    source: "Duplex D4",
    condition: `a section has more than ${MOST_CANDIDATES} candidates`,
    message: `more than ${MOST_CANDIDATES} candidates in one section; trickle them or gather from fewer interfaces and servers`,
    find: eachSection(({ candidates }) => {
      const first = candidates[MOST_CANDIDATES];
      return first ? [{ line: first.line }] : NO_HITS;
    }),
  },
  {
    id: "sdp-large",
    on: "both",
    level: "info",
    strict: "info",
    source: "Duplex D4",
    condition: "more than 64 KiB",
    message:
      "the description is unusually large and slow to exchange; offer fewer codecs, or stop transceivers that are no longer used",
    find: ({ description: { text } }) => (exceedsBytes(text, LARGE_BYTES) ? [{}] : []),
  },
  {
    id: "line-too-long",
    on: "both",
    level: "error",
    strict: "error",
    source: "Duplex D4",
    condition: `a line of more than ${LONGEST_LINE_BYTES} bytes`,
    message: `a line has more than ${LONGEST_LINE_BYTES} bytes, far beyond what any real stack writes; shorten the value`,
    // The type and its equals sign are two bytes; a character is three at most.
    find: ofLines(
      ({ type, value }) => exceedsBytes(value, LONGEST_LINE_BYTES - (type === "" ? 0 : 2)),
      ({ length }) => 3 * length > LONGEST_LINE_BYTES,
    ),
  },
  {
    id: "line-control-char",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s9",
    condition: "a line with NUL or another control character except the tab",
    message:
      "a control character stands in the line, and Firefox ends its reading at NUL; remove it",
    find: ofLines(({ value }) => hasControl(value), hasControl),
  },
  {
    id: "line-not-utf8",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s4.5",
    condition: "a line that cannot be written in UTF-8",
    message: "half of a surrogate pair stands in the line, so that it has no UTF-8 form; remove it",
    find: ofLines(
      ({ value }) => !value.isWellFormed(),
      (text) => !text.isWellFormed(),
    ),
  },
  {
    id: "line-bad-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.8, RFC 8866 s5",
    condition: "a line that does not begin with a lower-case letter and `=`",
    message:
      "this is no SDP line: each begins with one lower-case letter and an equals sign, empty lines are not allowed",
    find: ofType(""),
  },
  {
    id: "line-ending-not-crlf",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8866 s5",
    condition: "the text has no CRLF",
    message: "lines should end in CRLF; strict parsers read a text without any as one line",
    find: ({ description: { text } }) => (text.includes("\r\n") ? [] : [{}]),
  },
  {
    id: "line-trailing-space",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8866 s9",
    condition: "a line ends in a blank; the first of each section is reported",
    message: "a blank ends the line and becomes part of the value for some parsers; trim it",
    find: eachPart(({ lines }) => {
      const first = lines.find(endsInBlank);
      return first ? [{ line: first.number }] : NO_HITS;
    }),
  },
  {
    id: "line-order",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5, RFC 8829 s5.8.1",
    condition:
      "not in the order `v o s i u e p c b t r z k a` before the first m-line, `i c b k a` in a section",
    message:
      "the line stands behind lines that must follow it, and a parser may refuse or ignore it; move it up",
    find: (subject) => [
      ...misplaced(subject.description.session.lines, SESSION_ORDER),
      ...misplacedInSections(subject),
    ],
  },
  {
    id: "key-line-forbidden",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.2.1, RFC 8866 s5.12",
    condition: "any `k=` line",
    message:
      "k= would carry a media key through the server; remove it, the keys of WebRTC come from DTLS",
    find: ofType("k"),
  },
  {
    id: "connection-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.7",
    condition: "a section in use has no `c=` and the session part has none either",
    message: "the section has no c= line and Firefox refuses that; add c=IN IP4 0.0.0.0",
    find: (subject) => {
      const { session, live } = subject.description;
      if (hasConnection(session)) return NO_HITS;
      return live.filter((section) => !hasConnection(section)).map((section) => ({ section }));
    },
  },
  {
    id: "m-line-invalid",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.14",
    condition: "an m-line that is not `m=<media> <port> <proto> <fmt> ...`",
    message: "the m-line needs a media type, a port up to 65535, a protocol and its formats",
    find: ({ description: { sections } }) =>
      sections.filter(({ isReadable }) => !isReadable).map((section) => ({ section })),
  },
  {
    id: "m-line-port-count",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.14",
    condition: "the m-line has a number of ports",
    message:
      "a number of ports has no meaning with ICE and Chromium refuses it; write the port alone",
    find: eachSection((section) => wherePlain(section, "m", (value) => PORT_COUNT.test(value))),
  },
  {
    id: "media-type-unusual",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    condition: "the media type is not `audio`, `video` or `application`",
    message:
      "WebRTC knows audio, video and application only; browsers reject this section or the whole description",
    find: eachSection(({ kind }) =>
      USUAL_MEDIA.has(kind) ? NO_HITS : [{ detail: `media type ${kind}` }],
    ),
  },
  {
    id: "attr-repeated",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8866 s5.13",
    condition: "an attribute that may be there once stands twice in a section",
    message: "the attribute is there already; which of the two counts depends on the parser",
    find: eachSection((section) => {
      const hits: Hit[] = [];
      for (const name of SINGLE_ATTRIBUTES) {
        const [, second] = own(section, name);
        if (second) hits.push({ line: second.line, detail: `a=${name}` });
      }
      return hits;
    }),
  },
  {
    id: "direction-conflict",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s6.7",
    condition: "two different directions in one section",
    message: "the section says two directions, so nobody knows who sends; keep one of them",
    find: eachSection((section) => {
      const said = DIRECTIONS.filter((name) => section.attributes.has(name));
      if (said.length < 2 || carriesData(section)) return NO_HITS;
      const [, second] = said
        .flatMap((name) => own(section, name).slice(0, 1))
        .toSorted((one, other) => one.line - other.line);
      return [second && { line: second.line, detail: `a=${second.name}` }];
    }),
  },
];
