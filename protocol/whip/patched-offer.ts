import type { Fragment } from "./fragment.ts";
import {
  attributeIn,
  bundlesIn,
  type EndedLine,
  endedLinesOf,
  type Parts,
  partsOf,
  textOf,
} from "./lines.ts";

/** What an ICE restart brings. */
export interface NewGeneration extends Pick<Fragment, "sections" | "complete"> {
  readonly iceUfrag: string;
  readonly icePwd: string;
}

/** Of the generation before: its candidates, and those of the other side that it had chosen (RFC 8839 s5.2). */
const OUTDATED = /^a=(?:candidate|remote-candidates|end-of-candidates)(?::|[ \t]*$)/i;
const CREDENTIAL = /^(a=ice-(ufrag|pwd):)/i;
/** `o=- 4611731400430051336 2 IN IP4 127.0.0.1` */
const ORIGIN = /^(o=\S+ \d{1,20} )(\d{1,20})(?= )/;

/**
 * The offer of an ICE restart that came as fragment: the offer before with other credentials, where it has them, and other
 * candidates, with the next version in its origin (RFC 9429 s5.2.2). All else is the same, byte for byte.
 */
export function patchedOffer(offer: string, fresh: NewGeneration): string {
  const lines = endedLinesOf(offer);
  const kept = lines.filter(({ text }) => !OUTDATED.test(text));
  const { session, sections } = partsOf(
    kept.map((line) => ({ ...line, text: patched(line.text, fresh) })),
  );
  const added = addedTo(session, sections, fresh);
  const end = offer.includes("\r\n") || !offer.includes("\n") ? "\r\n" : "\n";
  const filled = sections.flatMap((section, index) => {
    const more = [...(added.get(index) ?? [])].map((text) => ({ text, end }));
    return more.length === 0 ? section : [...section.map((line) => ended(line, end)), ...more];
  });
  return textOf([...session, ...filled]);
}

/** Only the last line of a text can lack its end. */
const ended = (line: EndedLine, end: string): EndedLine => ({ ...line, end: line.end || end });

function patched(text: string, { iceUfrag, icePwd }: NewGeneration): string {
  const [, name, which] = CREDENTIAL.exec(text) ?? [];
  if (name !== undefined) return `${name}${/ufrag/i.test(String(which)) ? iceUfrag : icePwd}`;
  return text.replace(
    ORIGIN,
    (_all, before: string, version: string) => `${before}${BigInt(version) + 1n}`,
  );
}

/** Lines to add at the end of each section, by its index, each once. */
function addedTo(
  session: Parts["session"],
  sections: Parts["sections"],
  fresh: NewGeneration,
): ReadonlyMap<number, ReadonlySet<string>> {
  const added = new Map<number, Set<string>>();
  const placeOf = placesIn(session, sections);
  const add = (mid: string | undefined, line: string): void => {
    const place = placeOf(mid);
    added.set(place, (added.get(place) ?? new Set()).add(line));
  };
  for (const { mid, candidates } of fresh.sections) {
    for (const candidate of candidates) add(mid, `a=${candidate}`);
  }
  // After the candidates, also those that another section of the fragment has for the same place.
  for (const { mid, complete } of fresh.sections) {
    if (complete) add(mid, "a=end-of-candidates");
  }
  if (fresh.complete) add(undefined, "a=end-of-candidates");
  return added;
}

/**
 * Where the candidates of a mid go: with all of a bundle into its tagged section (RFC 9143 s7.1.3), which is also
 * where those without a mid, or with one that the offer does not have, belong.
 */
function placesIn(
  session: Parts["session"],
  sections: Parts["sections"],
): (mid: string | undefined) => number {
  const mids = sections.map((section) => attributeIn(section, "mid"));
  const bundles = bundlesIn(session);
  const taggedIn = (bundle: readonly string[] = []): number => Math.max(0, mids.indexOf(bundle[0]));
  return (mid) => {
    const bundle = bundles.find((each) => mid !== undefined && each.includes(mid));
    const own = mid === undefined || bundle ? -1 : mids.indexOf(mid);
    return own >= 0 ? own : taggedIn(bundle ?? bundles[0]);
  };
}
