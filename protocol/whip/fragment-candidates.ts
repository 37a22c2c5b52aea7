import type { Candidate } from "../message-parts.ts";
import { outlineOf } from "../outline.ts";
import type { StoredDescription } from "../session.ts";
import { credentialsOf, type Fragment } from "./fragment.ts";

/** What a fragment trickles. */
export interface Trickled {
  readonly candidates: readonly Candidate[];
  readonly complete: boolean;
}

/**
 * The candidates of a fragment, as candidates of the description that it belongs to. One that names no section which
 * the description has is for the first: that is what all media share (RFC 9725 s4.3.2).
 */
export function candidatesOfFragment(fragment: Fragment, own: StoredDescription): Trickled {
  const sections = outlineOf(own)?.sections ?? [];
  const [first] = sections;
  const { iceUfrag } = credentialsOf(fragment);
  const candidates = fragment.sections.flatMap(({ mid, candidates: lines }) => {
    const section = sections.find((each) => mid !== undefined && each.mid === mid) ?? first;
    return lines.map(
      (candidate): Candidate => ({
        candidate,
        ...(section?.mid === undefined
          ? { sdpMLineIndex: section?.index ?? 0 }
          : { sdpMid: section.mid }),
        ...(iceUfrag !== undefined && { usernameFragment: iceUfrag }),
      }),
    );
  });
  const isEnded =
    fragment.sections.length > 0 && fragment.sections.every(({ complete }) => complete);
  return { candidates, complete: fragment.complete || isEnded };
}
