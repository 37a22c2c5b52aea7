import { carriesMedia, located, NO_HITS, type PolicyRule, type PolicySubject } from "../rule.ts";
import type { Section } from "../section.ts";

type HttpLink = NonNullable<PolicySubject["http"]>;

const ERROR = { level: "error", strict: "error" } as const;

/** Directions that each side of a door may take, first that of the client. */
const DIRECTIONS: Readonly<Record<HttpLink["door"], readonly [client: string, other: string]>> = {
  whip: ["sendonly sendrecv", "recvonly"],
  whep: ["recvonly sendrecv", "sendonly inactive"],
};

const allowedIn = ({ door, isClient }: HttpLink): readonly string[] =>
  DIRECTIONS[door][isClient ? 0 : 1].split(" ");

const inUse = ({ description }: PolicySubject): readonly Section[] =>
  description.live.filter(carriesMedia);

/** What RFC 9725 and WHEP demand of descriptions, besides what all have to keep. */
export const HTTP_DOOR_RULES: readonly PolicyRule[] = [
  {
    id: "http-client-direction",
    ...ERROR,
    source: "RFC 9725 s4.2, draft-ietf-wish-whep s4.3.5",
    condition:
      "a publisher that does not send, or a player that does not receive; or the other side does not do the opposite",
    message:
      "by WHIP media go one way, from the client (sendonly, sendrecv) to the other side (recvonly); by WHEP from the other side (sendonly) to the client (recvonly, sendrecv)",
    find: (subject) => {
      const { http } = subject;
      if (!http) return NO_HITS;
      const allowed = allowedIn(http);
      return inUse(subject)
        .filter(({ direction }) => !allowed.includes(direction))
        .map((section) => located(section, {}));
    },
  },
  {
    id: "http-client-media",
    ...ERROR,
    source: "RFC 9725 s4.4.2, draft-ietf-wish-whep s4.6.2",
    condition:
      "no audio and no video, or several sections of one of them, of a WHIP or WHEP client",
    message:
      "by WHIP and WHEP there are at most one audio and one video track, and at least one of them; publish a second camera with a token of its own",
    find: (subject) => {
      if (!subject.http?.isClient) return NO_HITS;
      const sections = inUse(subject);
      if (sections.length === 0) return [{}];
      const seen = new Set<string>();
      const extra = sections.filter(({ kind }) => seen.size === seen.add(kind).size);
      return extra.map((section) => located(section, {}));
    },
  },
  {
    id: "whip-partial-answer",
    ...ERROR,
    source: "RFC 9725 s4.4.3",
    condition: "audio or video that a publisher offers is rejected",
    message: "a publisher cannot take media back: accept all it offers, or reject the offer",
    find: ({ http, description }) => {
      if (http?.door !== "whip" || http.isClient) return NO_HITS;
      return description.sections
        .filter((section) => section.rejected && carriesMedia(section))
        .map((section) => located(section, {}));
    },
  },
];
