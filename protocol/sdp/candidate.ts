import { words } from "./grammar.ts";

/** What a candidate says, as it is spelt: ranges are for its rules. */
export interface CandidateParts {
  readonly foundation: string;
  readonly component: string;
  readonly transport: string;
  readonly priority: string;
  readonly address: string;
  readonly port: string;
  readonly type: string;
  /** `raddr`, `rport`, `tcptype`, `ufrag` and whatever else follows in pairs. */
  readonly extensions: ReadonlyMap<string, string>;
}

export interface CandidateLine {
  /** The value as received. */
  readonly text: string;
  /** `host`, `srflx`, `prflx`, `relay` or one of the future. */
  readonly type: string | undefined;
  /** Undefined when the line does not fit the grammar. */
  readonly parts: CandidateParts | undefined;
}

/** As the attribute has it, without its name: a foundation begins with neither letter, as a rule. */
const isBare = (value: string): boolean =>
  !value.startsWith("candidate:") && !value.startsWith("a=");

/** `candidate:2211808528 1 udp 2113937151 192.0.2.2 34139 typ host generation 0` (RFC 8839 s5.1). */
export function candidateLineOf(value: string): CandidateLine {
  const tokens = words(isBare(value) ? value : value.replace(/^(?:a=)?candidate:/, ""));
  const type = tokens[6] === "typ" ? tokens[7] : undefined;
  return { text: value, type, parts: type === undefined ? undefined : partsOf(tokens, type) };
}

/** A blank is the only character between words: control characters would be lines or words to somebody else. */
export function fitsGrammar({ parts, text }: CandidateLine): boolean {
  return parts !== undefined && !/\p{Cc}/u.test(text.trimEnd());
}

const CANDIDATE_HEAD = 8;
const NUMBERS = [/^\d{1,3}$/, /^\d{1,10}$/, /^\d{1,5}$/];

/** Foundation, component, transport, priority, address and port: who has a type, the eighth word, has them. */
type Head = readonly [string, string, string, string, string, string];

function partsOf(tokens: readonly string[], type: string): CandidateParts | undefined {
  const [foundation, component, transport, priority, address, port] = tokens as readonly string[] &
    Head;
  const fits = [component, priority, port].every((text, index) => NUMBERS[index]?.test(text));
  const rest = tokens.slice(CANDIDATE_HEAD);
  if (!fits || rest.length % 2 !== 0) return undefined;
  const extensions = new Map<string, string>();
  for (let index = 0; index < rest.length; index += 2) {
    extensions.set(String(rest[index]), String(rest[index + 1]));
  }
  return { foundation, component, transport, priority, address, port, type, extensions };
}
