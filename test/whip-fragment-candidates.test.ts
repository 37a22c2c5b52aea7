import { describe, expect, it } from "vitest";
import { isProblem } from "../protocol/problem.ts";
import { readFragment } from "../protocol/whip/fragment.ts";
import { candidatesOfFragment } from "../protocol/whip/fragment-candidates.ts";
import { sdpOf } from "./descriptions.ts";

const LINE = "candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host";
const OWN = {
  sdp: sdpOf({
    sections: [
      { kind: "audio", mid: "a" },
      { kind: "video", mid: "v" },
    ],
  }),
};

function trickled(own: { sdp: string }, ...lines: string[]) {
  const fragment = readFragment(lines.join("\r\n"));
  if (isProblem(fragment)) throw new Error(fragment.detail);
  return candidatesOfFragment(fragment, own);
}

describe("candidates of a fragment", () => {
  it("[W6] are for the section that they name, or for the first", () => {
    const { candidates } = trickled(
      OWN,
      "m=video 9 RTP/AVP 0",
      "a=mid:v",
      `a=${LINE}`,
      "m=audio 9 RTP/AVP 0",
      "a=mid:unknown",
      `a=${LINE}`,
      "m=audio 9 RTP/AVP 0",
      `a=${LINE}`,
    );
    expect(candidates.map(({ sdpMid }) => sdpMid)).toEqual(["v", "a", "a"]);
  });

  it("[W6] carry the generation that the fragment says", () => {
    const { candidates } = trickled(OWN, "a=ice-ufrag:abcd", "a=mid:a", `a=${LINE}`);
    expect(candidates).toEqual([{ candidate: LINE, sdpMid: "a", usernameFragment: "abcd" }]);
  });

  it("[W6] are told by index where sections have no mid, and where the description cannot be read", () => {
    const bare = { sdp: OWN.sdp.replaceAll(/a=mid:.*\r\n|a=group.*\r\n/g, "") };
    for (const own of [bare, { sdp: "nonsense" }]) {
      expect(trickled(own, "m=audio 9 RTP/AVP 0", `a=${LINE}`).candidates).toEqual([
        { candidate: LINE, sdpMLineIndex: 0 },
      ]);
    }
  });

  it("[W6] end for all, or when they end in each section", () => {
    const audio = ["m=audio 9 RTP/AVP 0", "a=mid:a"];
    const video = ["m=video 9 RTP/AVP 0", "a=mid:v"];
    const end = "a=end-of-candidates";
    expect(trickled(OWN, end, ...audio).complete).toBe(true);
    expect(trickled(OWN, ...audio, end, ...video).complete).toBe(false);
    expect(trickled(OWN, ...audio, end, ...video, end).complete).toBe(true);
    expect(trickled(OWN, "a=ice-ufrag:abcd").complete).toBe(false);
  });
});
