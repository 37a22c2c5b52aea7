import type { MediaLabels } from "../flow-query.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { kindOf, type Place } from "./identity.ts";

/** An offer and its answer; the answerer is the other peer of the link. */
export interface AgreedPair {
  readonly offer: Description;
  readonly answer: Description;
  readonly offerer: string;
  /** What each end says of its media beside its description, by peer. */
  readonly labels?: Readonly<Record<string, MediaLabels>>;
}

/** An m-section that both descriptions have and neither rejects. */
export interface AgreedSection extends Place {
  readonly offered: Section;
  readonly answered: Section;
}

/** The description that a peer made. */
export function descriptionOf(pair: AgreedPair, peer: string): Description {
  return peer === pair.offerer ? pair.offer : pair.answer;
}

/** The sections that are in use after the answer, in order. */
export function agreedSections({ offer, answer }: AgreedPair): readonly AgreedSection[] {
  return offer.sections.flatMap((offered, index) => {
    const answered = answer.sections[index];
    const isUsed =
      answered && !offered.rejected && !answered.rejected && offered.kind === answered.kind;
    return isUsed
      ? [{ index, mid: offered.mid ?? answered.mid, kind: kindOf(offered), offered, answered }]
      : [];
  });
}

/** The sections an offer would have used, in order. */
export function offeredPlaces({
  sections,
}: Description): readonly (Place & { offered: Section })[] {
  return sections
    .filter(({ rejected }) => !rejected)
    .map((offered) => ({
      index: offered.index,
      mid: offered.mid,
      kind: kindOf(offered),
      offered,
    }));
}
