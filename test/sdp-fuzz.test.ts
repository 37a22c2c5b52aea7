import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import { checkDescription, checkPair } from "../protocol/sdp/check.ts";
import { readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { checkSdp } from "../protocol/sdp-check.ts";
import { CORPUS, recordOf } from "./corpus.ts";
import { read } from "./sdp-examples.ts";
import {
  type Exchange,
  faultsOf,
  isKept,
  misshapenIn,
  quickFaultsOf,
  type Try,
  tryOf,
} from "./sdp-fuzz.ts";
import { SHAPES } from "./sdp-fuzz-shapes.ts";
import { workOf } from "./sdp-fuzz-work.ts";

const EXCHANGES: readonly Exchange[] = [...CORPUS]
  .toSorted(([one], [other]) => (one < other ? -1 : 1))
  .map(([name, { offer, answer }]) => ({ name, offer, answer }));

/** Tries of one seed in one test; `npm run fuzz` makes two hundred thousand. */
const TRIES = 80;

/** Every so many, one is checked in every way there is. */
const FULL_EVERY = 8;

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

describe("descriptions broken at random", () => {
  it.each(SEEDS)(
    `[D4] ${TRIES} of seed %i throw nothing and give findings in good form`,
    (seed) => {
      const trouble = Array.from({ length: TRIES }, (_none, index) => index).flatMap((index) => {
        try {
          const faults = index % FULL_EVERY === 0 ? faultsOf : quickFaultsOf;
          return faults(tryOf(EXCHANGES, seed, index)).map((fault) => `${index}: ${fault}`);
        } catch (fault) {
          return [`${index}: thrown: ${fault}`];
        }
      });
      // Again: npm run fuzz -- --seed <seed> --only <index>
      expect(trouble).toEqual([]);
    },
  );

  it("[D4] the same seed and number give the same description", () => {
    const [one, other] = [tryOf(EXCHANGES, 5, 77), tryOf(EXCHANGES, 5, 77)];
    expect(one).toEqual(other);
    expect(one[one.broken]).not.toBe(one.before[one.broken]);
    expect(tryOf(EXCHANGES, 5, 78)).not.toEqual(one);
    expect(tryOf(EXCHANGES, 6, 77)).not.toEqual(one);
  });

  it("[D4] the mutations reach far: sizes, errors, unusable texts and texts over the limits", () => {
    const tries = Array.from({ length: 600 }, (_none, index) => tryOf(EXCHANGES, 1, index));
    const texts = tries.map((tried) => tried[tried.broken]);
    const readings = texts.map(readDescription);
    const read = readings.flatMap((each) => (isFinding(each) ? [] : [each]));
    expect(texts.some((text) => text.split("\r\n").length > 1000)).toBe(true);
    expect(texts.some((text) => !text.isWellFormed())).toBe(true);
    expect(texts.some((text) => text.includes("\0"))).toBe(true);
    expect(read.filter(({ isUsable }) => !isUsable).length).toBeGreaterThan(40);
    expect(read.filter(({ isUsable }) => isUsable).length).toBeGreaterThan(300);
  });
});

describe("what the fuzzing found", () => {
  const { offer, answer } = recordOf("chromium.max-bundle");
  const tryWith = (change: (sdp: string) => string): Try => ({
    of: "chromium.max-bundle",
    broken: "offer",
    before: { offer, answer: answer! },
    offer: change(offer),
    answer: answer!,
  });

  it("[D4] half a character in a mid makes no flow id and throws nothing", () => {
    const half = tryWith((sdp) => sdp.replaceAll(/^a=mid:0$/gm, "a=mid:\ud800"));
    expect(faultsOf(half)).toEqual([]);
    expect(checkSdp({ offer: half.offer }, 0).flows).toEqual([]);
  });

  it("[D2] a name as long as it may be is not repeated by every finding", () => {
    const long = tryWith((sdp) => sdp.replaceAll(/^a=mid:0$/gm, `a=mid:${"x".repeat(128)}`));
    const findings = checkDescription(read(long.offer), "offer");
    expect(findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(findings)).not.toContain("x".repeat(81));
    expect(faultsOf(long)).toEqual([]);
  });

  it("[D2] header extensions that sections have from the session part are told for each of them", () => {
    const other = "a=extmap:1 urn:x:other";
    // Of three sections the first keeps its own header extensions.
    const [session = "", first = "", ...more] = recordOf("chromium.two-video-tracks").offer.split(
      /(?=^m=)/m,
    );
    const heirs = more.map((section) => section.replaceAll(/^a=extmap:.*\r\n/gm, ""));
    const found = checkDescription(
      read([`${session}${other}\r\n`, first, ...heirs].join("")),
      "offer",
    );
    const conflicts = found.filter(({ rule }) => rule === "bundle-extmap-id-conflict");
    const line = session.split("\r\n").length;
    expect(conflicts.map((each) => [each.mLine, each.line])).toEqual([
      [1, line],
      [2, line],
    ]);
  });

  it("[D2] what moves a terminal or breaks a log stays out of findings", () => {
    const escaping = tryWith((sdp) =>
      sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE \u001b[2J\u0007"),
    );
    const messages = checkDescription(read(escaping.offer), "offer").map(({ message }) => message);
    expect(messages.some((message) => message.includes("\ufffd[2J"))).toBe(true);
    expect(faultsOf(escaping)).toEqual([]);
  });
});

describe("the checks of the fuzzing can fail", () => {
  const { offer } = recordOf("chromium.max-bundle");
  const description = read(offer);
  const [finding] = checkDescription(description, "offer", { strict: true });
  const good = finding!;

  it("[D2] findings in bad form are noticed", () => {
    expect(misshapenIn([good], description, "offer")).toEqual([]);
    const bad = [
      { rule: "no-such-rule" },
      { level: "fatal" },
      { description: "answer" },
      { line: 0 },
      { line: 1.5 },
      { line: description.lines.length + 1 },
      { mLine: -1 },
      { mLine: description.sections.length },
      { message: "" },
      { message: "x".repeat(500) },
      { message: "\u001b" },
      { message: "\ud800" },
      { mid: "x".repeat(500) },
      { mid: "\0" },
      { source: "" },
    ];
    for (const change of bad) {
      const findings = [{ ...good, ...change }] as (typeof good)[];
      expect([change, misshapenIn(findings, description, "offer").length]).toEqual([change, 1]);
    }
    const many = Array.from({ length: 51 }, () => good);
    expect(misshapenIn(many, description, "offer")).toEqual(["51 findings of the offer"]);
  });

  it("[N9] a text that was changed or not kept is noticed", () => {
    expect(isKept(offer, description)).toBe(true);
    expect(isKept(`${offer}a=x\r\n`, description)).toBe(false);
    expect(isKept(offer, { ...description, lines: description.lines.slice(1) })).toBe(false);
  });

  it("[D2] a finding in bad form is noticed whatever check of a try gives it", () => {
    const tried = tryOf(EXCHANGES, 1, 0);
    let checks = 0;
    faultsOf(tried, (findings) => {
      checks += 1;
      return findings;
    });
    // Offer, answer and pair as they are; then more of the broken one, and the pair in the strict profile.
    expect(checks).toBe(9);
    for (let planted = 1; planted <= checks; planted += 1) {
      let asked = 0;
      const wrong = faultsOf(tried, (findings) => {
        asked += 1;
        return asked === planted ? [{ ...good, line: 0 }] : findings;
      });
      expect(wrong.some((fault) => fault.startsWith(`${good.rule}: line 0 of `))).toBe(true);
    }
  });
});

describe("cost", () => {
  /** All that a session does with an offer and its answer. */
  const check = (sdp: string): void => {
    const [offer, answer] = [readDescription(sdp), readDescription(sdp)];
    if (isFinding(offer) || isFinding(answer)) throw new Error("it is over the limits");
    checkDescription(offer, "offer");
    checkDescription(answer, "answer", { strict: true });
    checkPair(offer, answer, { strict: true });
  };

  /**
   * How much of a shape shows a square: a few hundred lines, or two dozen sections that share a thousand. Those are
   * texts of more than a third of 64 KiB: from there on characters are counted as bytes, which is a step.
   */
  const shareFor = (name: string): number => {
    if (name.startsWith("heirs")) return 1 / 10;
    return name.startsWith("sections") ? 1 / 32 : 1 / 64;
  };

  it.each(SHAPES.map(({ name, textOf }) => [name, textOf] as const))(
    "[D4] twice the %s cost at most twice the work",
    (name, textOf) => {
      const costOf = (share: number) => workOf(() => check(textOf(share)));
      const share = shareFor(name);
      expect(costOf(2 * share) / costOf(share)).toBeLessThan(2.15);
    },
  );

  it("[D4] work that grows with the square is noticed", () => {
    const square = (size: number) =>
      workOf(() => {
        const all = Array.from({ length: size }, (_none, index) => index);
        for (const each of all) all.includes(-each - 1);
      });
    expect(square(200) / square(100)).toBeGreaterThan(3);
  });

  it("[D4] the largest of each shape is within the limits, and close to one", () => {
    for (const { name, textOf } of SHAPES) {
      const text = textOf(1);
      const use = [
        new TextEncoder().encode(text).length / LIMITS.sdpBytes,
        text.split("\r\n").length / LIMITS.sdpLines,
        text.split("\r\nm=").length / (LIMITS.sdpSections + 1),
      ];
      const largest = Math.max(...use);
      expect([name, largest > 0.5, largest <= 1]).toEqual([name, true, true]);
    }
  });
});
