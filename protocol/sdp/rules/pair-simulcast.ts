import type { Rid } from "../grammar.ts";
import {
  at,
  eachPair,
  type Hits,
  NO_HITS,
  own,
  type PairRule,
  type SectionPair,
  where,
} from "../rule.ts";

const REVERSE = { send: "recv", recv: "send" } as const;
const LISTS = ["send", "recv"] as const;

/** A list of streams in an answer and the lists of the offer. */
interface StreamList {
  readonly line: number;
  readonly direction: "send" | "recv";
  /** Streams in it. */
  readonly streams: number;
  /** Streams that the offer has in the other direction: those it answers. */
  readonly invited: number;
  /** Streams that the offer has in the same direction. */
  readonly alike: number;
}

const NO_LISTS: readonly StreamList[] = [];

/** The lists of an answer that its offer invites in one form or another. */
function listsOf({
  offered: { simulcast: offered },
  answered,
}: SectionPair): readonly StreamList[] {
  const { simulcast } = answered;
  if (!offered || !simulcast) return NO_LISTS;
  return LISTS.map((direction) => ({
    line: simulcast.line,
    direction,
    streams: simulcast[direction].length,
    invited: offered[REVERSE[direction]].length,
    alike: offered[direction].length,
  }));
}

/** `send` answered with `send`: libdatachannel copies the offer's line. */
const isCopied = ({ streams, invited, alike }: StreamList): boolean =>
  streams > 0 && invited === 0 && alike > 0;

/** Says for every pair of sections with rids in the answer what `find` says for one. */
const eachRidPair = (find: (pair: SectionPair) => Hits): PairRule["find"] =>
  eachPair((pair) => (pair.answered.rids.length === 0 ? NO_HITS : find(pair)));

const ridName = ({ id }: Rid): string => `rid ${id}`;

/** The id alone, so that one with broken restrictions was still offered. */
const ridIdOf = (value: string): string | undefined => value.trimStart().split(" ")[0];

const NUMBER = /^\d+(?:\.\d+)?$/;

/** True where both say a maximum and the answer's is above that of the offer. */
function isLooser(offered: string | undefined, answered: string): boolean {
  if (offered === undefined || !NUMBER.test(offered) || !NUMBER.test(answered)) return false;
  return Number(answered) > Number(offered);
}

/** What an answer makes of offered simulcast streams and their rids (RFC 8853 s5.3, RFC 8851 s6). */
export const PAIR_SIMULCAST_RULES: readonly PairRule[] = [
  {
    id: "simulcast-not-offered",
    level: "error",
    strict: "error",
    source: "RFC 8853 s5.3.2",
    requirements: ["R12.8-1"],
    condition: "the answer has simulcast, the offer has not",
    message:
      "an answer cannot begin simulcast; remove a=simulcast from the answer, or let the side that sends the layers offer them",
    find: eachPair(({ offered, answered }) =>
      answered.attributes.has("simulcast") && !offered.attributes.has("simulcast")
        ? [at(answered, "simulcast")]
        : NO_HITS,
    ),
  },
  {
    id: "simulcast-declined",
    level: "info",
    strict: "info",
    source: "RFC 8853 s5.3.3",
    requirements: ["R12.8-1"],
    condition: "the offer has simulcast, the answer has not",
    message:
      "the answer has no a=simulcast, so a single layer is sent; browsers and most endpoints decline it, a media server is needed to receive the layers",
    find: eachPair(({ offered, answered }) =>
      offered.simulcast && !answered.attributes.has("simulcast") ? [{}] : NO_HITS,
    ),
  },
  {
    id: "simulcast-streams-added",
    level: "error",
    strict: "error",
    source: "RFC 8853 s5.3.2",
    requirements: ["R12.8-1"],
    condition: "the answer has more streams in a direction than the offer has in the reverse one",
    message:
      "an answer may only take away simulcast streams; list no more than the offer does in the other direction",
    find: eachPair((pair) =>
      where(
        listsOf(pair),
        (list) => list.streams > list.invited && !isCopied(list),
        ({ direction, streams, invited }) =>
          `${streams} streams in ${direction}, ${invited} offered in ${REVERSE[direction]}`,
      ),
    ),
  },
  {
    id: "simulcast-direction-not-reversed",
    level: "warning",
    strict: "error",
    source: "RFC 8853 s5.3.2",
    requirements: ["R12.8-1"],
    condition: "the answer repeats the direction of the offered streams",
    message:
      "an answer names what the offer sends as recv and the reverse; the offerer takes this as declined and sends a single layer, reverse send and recv",
    find: eachPair((pair) => where(listsOf(pair), isCopied, ({ direction }) => direction)),
  },
  {
    id: "rid-not-offered",
    level: "warning",
    strict: "error",
    source: "RFC 8851 s6.4",
    requirements: ["R12.8-1"],
    condition: "a rid of the answer is not in the offer",
    message:
      "the offer has no such rid in this section, so the offerer ignores it; an answer can only use the ids of the offer",
    find: eachRidPair(({ offered, answered }) => {
      const ids = new Set(own(offered, "rid").map(({ value }) => ridIdOf(value)));
      return where(answered.rids, ({ id }) => !ids.has(id), ridName);
    }),
  },
  {
    id: "rid-direction-not-reversed",
    level: "warning",
    strict: "error",
    source: "RFC 8851 s6.3",
    requirements: ["R12.8-1"],
    condition: "a rid has the same direction in offer and answer",
    message:
      "what the offer sends the answer receives: turn send into recv and recv into send, or the offerer discards the rid",
    find: eachRidPair(({ offered, answered }) => {
      const known = new Set(offered.rids.map(({ direction, id }) => `${direction} ${id}`));
      return where(
        answered.rids,
        ({ direction, id }) =>
          known.has(`${direction} ${id}`) && !known.has(`${REVERSE[direction]} ${id}`),
        ridName,
      );
    }),
  },
  {
    id: "rid-restriction-loosened",
    level: "warning",
    strict: "warning",
    source: "RFC 8851 s6.3",
    requirements: ["R12.8-1"],
    condition: "a max- restriction of a rid is higher in the answer than in the offer",
    message:
      "an answer may only tighten what the offer restricts; use the offered value or a lower one",
    find: eachRidPair(({ offered, answered }) => {
      const limits = new Map(offered.rids.map(({ id, restrictions }) => [id, restrictions]));
      return answered.rids.flatMap(({ id, restrictions, line }) =>
        [...restrictions]
          .filter(
            ([name, value]) =>
              name.startsWith("max-") && isLooser(limits.get(id)?.get(name), value),
          )
          .map(([name]) => ({ line, detail: `rid ${id}, ${name}` })),
      );
    }),
  },
];
