import { readable } from "../assess.ts";
import type { Section } from "../sdp/section.ts";
import type { StoredDescription } from "../session.ts";
import { utf8Bytes } from "../utf8.ts";
import type { News } from "./entry.ts";
import { countsOf } from "./trickle-news.ts";

/** M-sections that an entry lists. */
const LISTED = 16;

type About = Pick<Extract<News, { type: "offer" }>, "bytes" | "media" | "candidates" | "sdp">;

/** What an entry says of a description; its text only where the session is being debugged. */
export function aboutDescription(stored: StoredDescription, debug: boolean | undefined): About {
  const sections = readable(stored)?.sections ?? [];
  const candidates = sections.flatMap((section) => section.candidates.map(({ text }) => text));
  return {
    bytes: utf8Bytes(stored.sdp),
    media: sections.slice(0, LISTED).map(aboutSection),
    ...(candidates.length > 0 ? { candidates: countsOf(candidates).types } : {}),
    ...(debug ? { sdp: withoutSecrets(stored.sdp) } : {}),
  };
}

/** Of what a description may say at any length: a kind is any token. */
const MID_CHARACTERS = 64;
const KIND_CHARACTERS = 32;

const aboutSection = ({ mid, kind, direction, rejected }: Section): About["media"][number] => ({
  ...(mid === undefined ? {} : { mid: mid.slice(0, MID_CHARACTERS) }),
  kind: kind.slice(0, KIND_CHARACTERS),
  ...(rejected ? { rejected: true } : { direction }),
});

/** The text of a description without what lets its reader take part: ICE passwords and SRTP keys (RFC 8839, RFC 4568). */
export const withoutSecrets = (sdp: string): string =>
  sdp
    .replace(/^(a=ice-pwd:)[^\r\n]*/gim, "$1***")
    .replace(/^(a=crypto:\S+ \S+ inline:)[^\r\n]*/gim, "$1***");
