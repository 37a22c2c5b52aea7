import type { Description } from "../description.ts";
import { once } from "../inherited.ts";
import {
  carriesMedia,
  type DescriptionRule,
  type DescriptionSubject,
  type Hit,
  type Hits,
  locate,
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
  return (subject) => {
    const found: Hit[] = [];
    for (const section of rtpSectionsOf(subject.description)) {
      locate(found, section, find(section, subject));
    }
    return found;
  };
}

/** Forty rules ask for the RTP sections in use of the same description. */
const rtpSectionsOf = once(({ live }: Description): readonly Section[] => live.filter(carriesRtp));

/** Says for every section in use that carries audio, or video, what `find` says for one. */
export function eachOfKind(
  kind: "audio" | "video",
  find: (section: Section, subject: DescriptionSubject) => Hits,
): DescriptionRule["find"] {
  return eachRtpSection((section, subject) =>
    section.kind === kind ? find(section, subject) : [],
  );
}

/** Names of formats come from peers: no finding repeats a long one. */
const LONGEST_NAME = 32;

/** `payload type 96`, the detail of a finding. */
export function payloadTypeNamed(format: string): string {
  return `payload type ${format.slice(0, LONGEST_NAME)}`;
}
