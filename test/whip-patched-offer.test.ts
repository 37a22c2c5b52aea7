import { describe, expect, it } from "vitest";
import { checkDescription } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { completedAnswer } from "../protocol/whip/completed-answer.ts";
import type { FragmentSection } from "../protocol/whip/fragment.ts";
import { patchedOffer } from "../protocol/whip/patched-offer.ts";
import { CORPUS, recordOf, TEXTS } from "./corpus.ts";

const NEW = { iceUfrag: "newU", icePwd: "n".repeat(24) };
const HOST = "candidate:77 1 udp 2122260223 192.0.2.77 50077 typ host";
const TCP = "candidate:78 1 tcp 1518280447 192.0.2.77 9 typ host tcptype active";

const section = (candidates: string[], more: Partial<FragmentSection> = {}): FragmentSection => ({
  candidates,
  complete: false,
  ...more,
});

function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(description.message);
  return description;
}

const OUTDATED = /^a=(?:candidate:|end-of-candidates|remote-candidates)/;
const TOUCHED = /^(?:a=ice-(?:ufrag|pwd):|o=)/;

describe("the offer of a restart that came as fragment", () => {
  const offers = [...CORPUS].map(([name, { offer }]) => [name, offer] as const);

  it.each(offers)("[W6] %s: only ICE and the version change", (_name, offer) => {
    const patched = patchedOffer(offer, { ...NEW, sections: [], complete: false });
    const expected = offer.split("\n").filter((line) => !OUTDATED.test(line));
    const lines = patched.split("\n");
    expect(lines).toHaveLength(expected.length);
    for (const [index, line] of lines.entries()) {
      if (!TOUCHED.test(line)) expect(line).toBe(expected[index]);
    }
    const [before, after] = [read(offer), read(patched)];
    expect(after.live.map(({ mid }) => mid)).toEqual(before.live.map(({ mid }) => mid));
    for (const { iceUfrag, icePwd, candidates } of after.live) {
      expect({ iceUfrag, icePwd, candidates }).toEqual({ ...NEW, candidates: [] });
    }
    expect(BigInt(after.session.origin?.version ?? 0)).toBe(
      BigInt(before.session.origin?.version ?? 0) + 1n,
    );
    // Where the credentials stand is as it was.
    expect(after.sections.map(({ attributes }) => attributes.has("ice-ufrag"))).toEqual(
      before.sections.map(({ attributes }) => attributes.has("ice-ufrag")),
    );
    const errors = (description: Description) =>
      checkDescription(description, "offer").filter(({ level }) => level === "error");
    expect(errors(after)).toEqual(errors(before));
  });

  it("[W6] candidates are in the section of the bundle's transport, each once, in order", () => {
    const { offer } = recordOf("chromium.two-video-tracks");
    const mids = read(offer).sections.map(({ mid }) => mid);
    expect(mids).toHaveLength(3);
    const patched = patchedOffer(offer, {
      ...NEW,
      sections: [
        section([HOST], { mid: String(mids[2]), complete: true }),
        section([HOST, TCP], { mid: "unknown" }),
        section([TCP]),
      ],
      complete: false,
    });
    const after = read(patched);
    expect(after.sections.map(({ candidates }) => candidates.map(({ text }) => text))).toEqual([
      [HOST, TCP].map((candidate) => candidate.slice(10)),
      [],
      [],
    ]);
    expect(after.sections.map(({ endOfCandidates }) => endOfCandidates)).toEqual([
      true,
      false,
      false,
    ]);
    const fragment = { ...NEW, sections: [section([HOST])], complete: true };
    expect(patchedOffer(offer, fragment)).toContain(`a=${HOST}\r\na=end-of-candidates\r\n`);
  });

  it("[W6] without a bundle they are in the section they name, else in the first", () => {
    const offer =
      "v=0\no=- 1 9 IN IP4 127.0.0.1\ns=-\nt=0 0\na=ice-ufrag:old\na=end-of-candidates\nm=audio 9 X 0\na=mid:a\n" +
      "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\na=remote-candidates:1 192.0.2.9 9\nm=video 9 X 0\na=mid:v";
    const patched = patchedOffer(offer, {
      ...NEW,
      sections: [section([TCP], { mid: "v" }), section([HOST])],
      complete: true,
    });
    expect(patched).toBe(
      "v=0\no=- 1 10 IN IP4 127.0.0.1\ns=-\nt=0 0\na=ice-ufrag:newU\nm=audio 9 X 0\na=mid:a\n" +
        `a=${HOST}\na=end-of-candidates\nm=video 9 X 0\na=mid:v\na=${TCP}\n`,
    );
    const bare = patchedOffer("v=0", { ...NEW, sections: [section([HOST])], complete: false });
    expect(bare).toBe("v=0");
    expect(patchedOffer("", { ...NEW, sections: [], complete: true })).toBe("");
    const one = patchedOffer("m=audio 9 X 0", {
      ...NEW,
      sections: [section([HOST])],
      complete: false,
    });
    expect(one).toBe(`m=audio 9 X 0\r\na=${HOST}\r\n`);
    const empty = "v=0\r\na=group:BUNDLE \r\nm=audio 9 X 0\r\n";
    expect(patchedOffer(empty, { ...NEW, sections: [section([HOST])], complete: false })).toBe(
      `${empty}a=${HOST}\r\n`,
    );
  });

  it("[W6] a second restart is made of the first in the same way", () => {
    const { offer } = recordOf("chromium.max-bundle");
    const once = patchedOffer(offer, { ...NEW, sections: [section([HOST])], complete: true });
    const more = { iceUfrag: "thrd", icePwd: "t".repeat(24) };
    const twice = patchedOffer(once, { ...more, sections: [section([TCP])], complete: false });
    expect(twice).not.toContain(HOST);
    expect(twice).not.toContain("end-of-candidates");
    expect(twice).toContain(TCP);
    expect(read(twice).live[0]).toMatchObject(more);
  });
});

describe("the answer for an HTTP client", () => {
  it.each(TEXTS)("[W1] %s: rtcp-mux-only where it is due, nothing else changes", (_name, sdp) => {
    const completed = completedAnswer(sdp);
    const [before, after] = [read(sdp), read(completed)];
    const bundled = new Set(before.bundles.flat());
    for (const [index, is] of after.sections.entries()) {
      const was = before.sections[index];
      const due = !is.rejected && bundled.has(is.mid ?? "") && is.attributes.has("rtcp-mux");
      expect(is.attributes.get("rtcp-mux-only")?.length ?? 0).toBe(
        due ? 1 : (was?.attributes.get("rtcp-mux-only")?.length ?? 0),
      );
    }
    const without = (text: string) => text.replace(/^a=rtcp-mux-only\r?\n/gm, "");
    expect(without(completed)).toBe(without(sdp));
    expect(completedAnswer(completed)).toBe(completed);
  });

  it("[W1] rejected and unbundled sections are left alone; a last line may lack its end", () => {
    const answer = [
      "v=0",
      "a=group:BUNDLE 0 1 3",
      "m=audio 0 X 0",
      "a=mid:0",
      "a=rtcp-mux",
      "m=video 0 X 0",
      "a=mid:1",
      "a=bundle-only",
      "a=rtcp-mux ",
      "m=video 9 X 0",
      "a=mid:2",
      "a=rtcp-mux",
      "m=video 9 X 0",
      "a=rtcp-mux",
      "m=video 9 X 0",
      "a=mid:3",
      "a=rtcp-mux",
    ];
    const lines = completedAnswer(answer.join("\r\n")).split("\r\n");
    expect(lines).toEqual([
      ...answer.slice(0, 9),
      "a=rtcp-mux-only",
      ...answer.slice(9),
      "a=rtcp-mux-only",
    ]);
    expect(completedAnswer("")).toBe("");
  });
});
