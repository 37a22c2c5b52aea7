import type { Kind } from "../flow.ts";

/** TS 29.514: from the media type of the m-line. */
export type MediaType = "AUDIO" | "VIDEO" | "APPLICATION";

const MEDIA_TYPES: Readonly<Record<Kind, MediaType>> = {
  audio: "AUDIO",
  video: "VIDEO",
  data: "APPLICATION",
};

/** Of one m-section. */
export const mediaTypeOf = (kind: Kind): MediaType => MEDIA_TYPES[kind];

/** Of what shares a 5-tuple: that of the most demanding. */
export function sharedMediaType(kinds: readonly Kind[]): MediaType {
  const kind = (["video", "audio"] as const).find((each) => kinds.includes(each));
  return mediaTypeOf(kind ?? "data");
}
