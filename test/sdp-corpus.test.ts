import { describe, expect, it } from "vitest";
import { RULES } from "../protocol/sdp/catalogue.ts";
import { checkDescription, checkPair } from "../protocol/sdp/check.ts";
import type { Level, SdpFinding } from "../protocol/sdp/finding.ts";
import { CORPUS, type CorpusRecord, TEXTS } from "./corpus.ts";
import { CORPUS_WARNINGS } from "./sdp-corpus-warnings.ts";
import { read } from "./sdp-examples.ts";

/** What the rules say of descriptions that real stacks made and real stacks took. */

const RECORDS = [...CORPUS];

/** Records that somebody changed by hand. */
const isMunged = (record: CorpusRecord): boolean => "munged" in record;

/** Everything that is found in an exchange: in the offer, in the answer, in the two together. */
function findingsOf({ offer, answer }: CorpusRecord, strict = false): readonly SdpFinding[] {
  const offered = read(offer);
  const alone = checkDescription(offered, "offer", { strict });
  if (answer === null) return alone;
  const answered = read(answer);
  return [
    ...alone,
    ...checkDescription(answered, "answer", { strict }),
    ...checkPair(offered, answered, { strict }),
  ];
}

/** `offer: rtp-profile-insecure`, once for each finding of this level. */
const told = (record: CorpusRecord, level: Level): string[] =>
  findingsOf(record)
    .filter((finding) => finding.level === level)
    .map(({ description, rule }) => `${description}: ${rule}`);

/** What was broken on purpose, and what that gives. */
const BROKEN: Readonly<Record<string, readonly string[]>> = {
  "chromium.legacy-profile-RTP-AVPF": [
    "offer: rtp-profile-insecure",
    "answer: rtp-profile-insecure",
  ],
  "firefox.legacy-profile-RTP-AVP": ["offer: rtp-profile-insecure", "answer: rtp-profile-insecure"],
};

/** Warnings that are meant: what was changed is an old form. */
const OLD_FORMS: Readonly<Record<string, readonly string[]>> = {
  "chromium.legacy-profile-RTP-SAVP": ["offer: rtp-profile-legacy", "answer: rtp-profile-legacy"],
  "chromium.legacy-profile-RTP-SAVPF": ["offer: rtp-profile-legacy", "answer: rtp-profile-legacy"],
  "firefox.legacy-profile-RTP-SAVPF": ["offer: rtp-profile-legacy", "answer: rtp-profile-legacy"],
  "firefox.no-mid": ["offer: mid-missing", "offer: mid-missing"],
};

describe("descriptions of real stacks", () => {
  it.each(RECORDS)("[D3] %s gives no error unless it was broken on purpose", (name, record) => {
    expect(told(record, "error")).toEqual(BROKEN[name] ?? []);
  });

  it("[D3] only records that were changed by hand are broken", () => {
    const changed = RECORDS.filter(([, record]) => isMunged(record)).map(([name]) => name);
    for (const name of [...Object.keys(BROKEN), ...Object.keys(OLD_FORMS)]) {
      expect(changed).toContain(name);
    }
  });

  it.each(RECORDS.filter(([, record]) => isMunged(record)))(
    "[D3] %s, changed by hand, gives the warnings of that change",
    (name, record) => {
      expect(told(record, "warning")).toEqual(OLD_FORMS[name] ?? []);
    },
  );

  it("[D3] real stacks give no warnings but those that are known, each with its reason", () => {
    const found = RECORDS.filter(([, record]) => !isMunged(record)).flatMap(([name, record]) =>
      told(record, "warning").map((warning) => `${name} ${warning}`),
    );
    const known = CORPUS_WARNINGS.flatMap(({ rule, places }) =>
      places.map((place) => `${place}: ${rule}`),
    );
    // What is only on one side is new, or is gone.
    expect(found.toSorted()).toEqual(known.toSorted());
  });

  it("[D3] a rule and a stack have one reason", () => {
    const keys = CORPUS_WARNINGS.map(({ rule, stack }) => `${rule} ${stack}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { why, places } of CORPUS_WARNINGS) {
      expect(why).toMatch(/^[A-Za-z].{40,}\.$/);
      expect(places).not.toEqual([]);
    }
  });

  it("[D3] a known warning is of the stack that made the description", () => {
    for (const { stack, places } of CORPUS_WARNINGS) {
      for (const place of places) {
        const [name = "", description] = place.split(" ");
        const { offerStack, answerStack } = CORPUS.get(name)!;
        expect(`${place}: ${description === "offer" ? offerStack : answerStack}`).toBe(
          `${place}: ${stack}`,
        );
      }
    }
  });
});

/** What no finding may repeat: passwords and user fragments, digests, addresses, CNAMEs, names of streams. */
const SECRETS: readonly RegExp[] = [
  /^a=ice-(?:pwd|ufrag):(.+)$/gm,
  /^a=fingerprint:\S+ (.+)$/gm,
  /^a=candidate:(?:\S+ ){4}(\S+) /gm,
  /^a=candidate:.* raddr (\S+)/gm,
  /^a=candidate:.* ufrag (\S+)/gm,
  /^o=.* IN IP[46] (.+)$/gm,
  /^a=ssrc:\d+ cname:(.+)$/gm,
  /^a=(?:ssrc:\d+ )?msid:(\S+)/gm,
  /^a=(?:ssrc:\d+ )?msid:\S+ (\S+)/gm,
  /^a=tls-id:(.+)$/gm,
  /^a=crypto:(.+)$/gm,
  /^a=identity:(.+)$/gm,
];

const secretsOf = (sdp: string): ReadonlySet<string> =>
  new Set(
    SECRETS.flatMap((pattern) => [...sdp.matchAll(pattern)].map(([, value = ""]) => value.trim())),
  );

const MESSAGES: ReadonlyMap<string, string> = new Map(
  RULES.map(({ id, message }) => [id, message]),
);

/** What a finding says beside the words of its rule, or what is wrong with it. */
function particularsOf({ rule, message }: SdpFinding): string {
  const words = MESSAGES.get(rule);
  if (words === undefined || !message.endsWith(words)) return `no message of ${rule}: ${message}`;
  return message.slice(0, message.length - words.length);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Secrets that a finding repeats as words. */
function leaksOf(finding: SdpFinding, secrets: ReadonlySet<string>): string[] {
  const said = `${particularsOf(finding)} ${finding.mid ?? ""}`.toLowerCase();
  return [...secrets].filter(
    (secret) =>
      secret !== "" &&
      new RegExp(`(?<![\\w-])${escaped(secret.toLowerCase())}(?![\\w-])`).test(said),
  );
}

describe("findings", () => {
  const everything = RECORDS.flatMap(([name, record]) =>
    [false, true].flatMap((strict) =>
      findingsOf(record, strict).map((finding) => [name, record, finding] as const),
    ),
  );

  it("[D2] findings of real descriptions repeat no secret, in either profile", () => {
    expect(everything.length).toBeGreaterThan(2000);
    const leaks = everything.flatMap(([name, { offer, answer }, finding]) =>
      leaksOf(finding, secretsOf(`${offer}\r\n${answer}`.replaceAll("\r\n", "\n"))).map(
        (secret) => `${name} ${finding.rule}: ${secret}`,
      ),
    );
    expect(leaks).toEqual([]);
  });

  it("[D2] findings say the words of their rule, after a few particulars at most", () => {
    const odd = everything
      .map(([, , finding]) => particularsOf(finding))
      .filter((particulars) => !/^(?:.{1,80}: )?$/.test(particulars));
    expect(odd).toEqual([]);
  });

  it("[D2] a finding that tells a secret would be noticed", () => {
    const secrets = secretsOf("a=ice-pwd:GbGqBas\na=ssrc:1 cname:me\na=msid:{a} -\n");
    expect([...secrets]).toEqual(["GbGqBas", "me", "{a}", "-"]);
    const [rule] = RULES;
    const finding = (detail: string): SdpFinding => ({
      rule: rule!.id,
      level: "info",
      message: `${detail}: ${rule!.message}`,
      source: rule!.source,
    });
    expect(leaksOf(finding("password GbGqBas"), secrets)).toEqual(["GbGqBas"]);
    expect(leaksOf(finding("stream {A}"), secrets)).toEqual(["{a}"]);
    expect(leaksOf(finding("something else"), secrets)).toEqual([]);
    expect(leaksOf({ ...finding("x"), mid: "me" }, secrets)).toEqual(["me"]);
    expect(particularsOf({ ...finding("x"), message: "GbGqBas" })).toContain("no message of");
  });

  it("[D2] findings point to lines and sections that are there", () => {
    const lines = new Map(TEXTS.map(([, sdp]) => [sdp, read(sdp)]));
    for (const [, { offer, answer }, { description, line = 1, mLine = 0 }] of everything) {
      const about = lines.get(description === "offer" ? offer : (answer ?? ""))!;
      expect(about.lines[line - 1]).toBeDefined();
      expect(about.sections[mLine]).toBeDefined();
    }
  });
});
