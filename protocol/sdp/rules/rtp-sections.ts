import type { Description } from "../description.ts";
import { once } from "../notes.ts";
import {
  carriesMedia,
  type DescriptionRule,
  type DescriptionSubject,
  type Hits,
  inSections,
} from "../rule.ts";
import type { Section } from "../section.ts";

/** `UDP/TLS/RTP/SAVPF`, `RTP/AVP` */
const RTP = /(?:^|\/)RTP\//i;

/** True for audio and video whose proto says RTP: only there formats are payload types. */
export function carriesRtp(section: Pick<Section, "kind" | "protocol">): boolean {
  return carriesMedia(section) && RTP.test(section.protocol);
}

/** Says for every RTP section in use what `find` says for one. */
export function eachRtpSection(
  find: (section: Section, subject: DescriptionSubject) => Hits,
): DescriptionRule["find"] {
  return (subject) => inSections(rtpSectionsOf(subject.description), subject, find);
}

/** Forty rules ask for the RTP sections in use of the same description, or for those of a kind. */
export const rtpSectionsOf = once(({ live }: Description): readonly Section[] =>
  live.filter(carriesRtp),
);
const OF_KIND = {
  audio: once((description: Description) => ofKind(description, "audio")),
  video: once((description: Description) => ofKind(description, "video")),
};

const ofKind = (description: Description, wanted: string): readonly Section[] =>
  rtpSectionsOf(description).filter(({ kind }) => kind === wanted);

/** Says for every section in use that carries audio, or video, what `find` says for one. */
export function eachOfKind(
  kind: "audio" | "video",
  find: (section: Section, subject: DescriptionSubject) => Hits,
): DescriptionRule["find"] {
  const sectionsOf = OF_KIND[kind];
  return (subject) => inSections(sectionsOf(subject.description), subject, find);
}

/** Names of formats come from peers: no finding repeats a long one. */
const LONGEST_NAME = 32;

/** `payload type 96`, the detail of a finding. */
export function payloadTypeNamed(format: string): string {
  return `payload type ${format.slice(0, LONGEST_NAME)}`;
}
