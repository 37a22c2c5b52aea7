import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** An offer and its answer, of any size: those of real stacks, and one grown by more m-sections like its own. */

/** Two descriptions that make an exchange. */
export interface Exchange {
  readonly name: string;
  readonly offer: string;
  readonly answer: string;
}

/** An exchange of the corpus by its name, such as `chromium.max-bundle`. */
export function recordedExchange(name: string): Exchange {
  const path = new URL(`../test/fixtures/sdp-corpus/${name}.json`, import.meta.url);
  const { offer, answer } = JSON.parse(readFileSync(fileURLToPath(path), "utf8")) as Exchange;
  return { name, offer, answer };
}

/** Lines of a description: the session part, then each m-section. */
const partsOf = (sdp: string): readonly string[] => sdp.split(/^(?=m=)/m);

/** What no two sections may share is made the section's own: mid, sources, stream and track. */
const copied = (section: string, copy: number): string =>
  section
    .replace(/^a=mid:.*$/m, (line) => `${line}x${copy}`)
    .replaceAll(/^(a=ssrc:)(\d+)/gm, (_line, head, ssrc) => `${head}${shifted(ssrc, copy)}`)
    .replaceAll(/^(a=ssrc-group:\S+)(.*)$/gm, (_line, head: string, ssrcs: string) =>
      [
        head,
        ...ssrcs
          .trim()
          .split(" ")
          .map((ssrc) => shifted(ssrc, copy)),
      ].join(" "),
    )
    .replaceAll(/(msid:\S+ )(\S+)/g, (_line, head, track) => `${head}${track}x${copy}`);

/** Large and small ones take turns: sums of 32 bits. */
const shifted = (ssrc: string, copy: number): string =>
  String((Number(ssrc) + copy * 7_919_003) % 2 ** 32 || copy);

function grownDescription(sdp: string, copies: number): string {
  const [session = "", ...sections] = partsOf(sdp);
  const media = sections.filter((section) => /^m=(?:audio|video)/.test(section));
  const more = Array.from({ length: copies }, (_none, copy) =>
    media.map((section) => copied(section, copy + 1)),
  ).flat();
  const mids = more.map((section) => /^a=mid:(.*)$/m.exec(section)?.[1]?.trim());
  return [
    session.replace(/^(a=group:BUNDLE.*?)(\r?)$/m, `$1 ${mids.join(" ")}$2`),
    ...sections,
    ...more,
  ].join("");
}

/** An exchange with so many copies of each of its audio and video sections. */
export function grownExchange({ name, offer, answer }: Exchange, copies: number): Exchange {
  if (copies === 0) return { name, offer, answer };
  return {
    name: `${name} x ${copies + 1}`,
    offer: grownDescription(offer, copies),
    answer: grownDescription(answer, copies),
  };
}
