import type { ManagedLink, Publication, RemoteDescription } from "./managed-state.ts";
import type { LocalTrack, TrackResult } from "./media-backend.ts";
import { isOther, type OfferedSection, printsOf, ufragsOf } from "./offered-media.ts";

/** What an offer of a peer makes of what it publishes. */

/** The SFU drops a track that nothing arrived on for so long. */
const TRACK_TIMEOUT_MS = 30_000;

/** A new ICE generation, or another connection: the SFU has no ICE restart, so it gets a session of its own. */
export const isAnew = (
  { prints, ufrags }: ManagedLink,
  { sdp, restart }: RemoteDescription,
): boolean => restart === true || isOther(prints, printsOf(sdp)) || isOther(ufrags, ufragsOf(sdp));

/** Never published, or not any more: what was held for long is lost at the SFU. */
export const isNew = (publication: Publication | undefined, at: number): boolean =>
  publication === undefined ||
  publication.fault !== undefined ||
  publication.ended === true ||
  at - (publication.heldSince ?? at) >= TRACK_TIMEOUT_MS;

/** Notes new publications; says what of them failed. */
export function noteTracks(
  link: ManagedLink,
  tracks: readonly LocalTrack[],
  results: readonly TrackResult[],
): string[] {
  return tracks.flatMap(({ mid, name }) => {
    const fault = results.find((result) => result.mid === mid)?.fault?.detail;
    link.publications[mid] = { name, ...(fault === undefined ? {} : { fault }) };
    return fault === undefined ? [] : [fault];
  });
}

/** The offer was taken back while it was answered. */
export function endTracks(link: ManagedLink, tracks: readonly LocalTrack[]): void {
  for (const { mid } of tracks) {
    const publication = link.publications[mid];
    if (publication) publication.ended = true;
  }
}

/** What a description of the peer says of sections that it was sent media on. */
export function notePulls({ pulls }: ManagedLink, sections: readonly OfferedSection[]): void {
  for (const [mid, pull] of Object.entries(pulls)) {
    const section = sections.find((each) => each.mid === mid);
    if (section) pull.off = section.receives ? undefined : true;
  }
}

/** What the offer says of sections that were published before. */
export function noteSections(
  link: ManagedLink,
  sections: readonly OfferedSection[],
  at: number,
): void {
  for (const [mid, publication] of Object.entries(link.publications)) {
    const section = sections.find((each) => each.mid === mid);
    if (!section) publication.ended = true;
    publication.heldSince = section?.sends ? undefined : (publication.heldSince ?? at);
  }
}
