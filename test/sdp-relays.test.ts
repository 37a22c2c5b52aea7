import { describe, expect, it } from "vitest";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import { RELAY_RULES } from "../protocol/sdp/rules/relays.ts";
import { recordOf } from "./corpus.ts";
import { variant } from "./flow-call.ts";
import { accepted } from "./pure-session.ts";
import { proveScenes, Story, scene } from "./sdp-story.ts";

const PUBLISH = recordOf("chromium-to-janus.videoroom-publish");
const SUBSCRIBE = recordOf("janus-to-chromium.videoroom-subscribe.1-initial");
const UPLINK = "alice~sfu:1.1:alice";
const DOWNLINK = "bob~sfu:1.1:sfu";

/** alice publishes to a server, which sends to bob what it says it does. */
class Relay extends Story {
  constructor(change: (sdp: string) => string = (sdp) => sdp) {
    super({ topology: "central" });
    const [offer, answer] = variant([SUBSCRIBE.offer, SUBSCRIBE.answer!], 1);
    this.serve("sfu")
      .join("alice", "bob")
      .offer("alice", "sfu", PUBLISH.offer)
      .answer("sfu", "alice", PUBLISH.answer!)
      .offer("sfu", "bob", change(offer))
      .answer("bob", "sfu", change(answer));
  }

  carry(topology: "relay" | "projecting", sourceFlows: string[]): this {
    this.pure.at += 1;
    accepted(this.pure.send("sfu", { type: "sources", flow: DOWNLINK, sourceFlows, topology }));
    return this;
  }

  override get found(): readonly SdpFinding[] {
    const findings = this.pure.session.links.get("bob~sfu")?.findings ?? [];
    return findings.filter(({ at }) => at === this.pure.at);
  }
}

/** The payload types of VP8 under other numbers. */
const renumbered = (sdp: string): string =>
  sdp
    .replace(/^(m=video .*)\b96\b/m, "$1126")
    .replaceAll(/^(a=(?:rtpmap|fmtp|rtcp-fb):)96 /gm, "$1126 ")
    .replaceAll("apt=96", "apt=126");

/** VP9 where the other leg has VP8. */
const otherCodec = (sdp: string): string => sdp.replace(/^a=rtpmap:96 VP8/m, "a=rtpmap:96 VP9");

describe("relays", () => {
  proveScenes(RELAY_RULES, {
    "relay-pt-mismatch": {
      accepted: [
        scene("legs that number alike", () => new Relay().carry("relay", [UPLINK])),
        scene("a server that rewrites", () => new Relay(renumbered).carry("projecting", [UPLINK])),
        scene("a relay of nothing", () => new Relay(renumbered).carry("relay", [])),
      ],
      refused: [
        scene("other numbers", () => new Relay(renumbered).carry("relay", [UPLINK])),
        scene("another codec", () => new Relay(otherCodec).carry("relay", [UPLINK])),
      ],
    },
  });

  it("[D2] names the payload types, and is told to both ends once", () => {
    const relay = new Relay(renumbered);
    for (const peer of ["alice", "bob", "sfu"]) relay.pure.take(peer);
    relay.carry("relay", [UPLINK]);
    const [found] = relay.found;
    if (!found) throw new Error("nothing found");
    expect(found.message).toMatch(/^payload types 96(?:, 97)? of video: a relay passes/);
    expect(found).toMatchObject({ mid: "1", mLine: 1, description: "offer" });
    expect(relay.pure.take("bob", "findings")).toMatchObject([
      { to: "sfu", findings: [{ rule: found.rule, message: found.message }] },
    ]);
    expect(relay.pure.take("sfu", "findings")).toHaveLength(1);
    relay.carry("projecting", [UPLINK]).carry("relay", [UPLINK]);
    expect(relay.pure.take("bob", "findings")).toEqual([]);
    expect(relay.pure.take("alice", "findings")).toEqual([]);
  });

  it("[D2] what the receiver offers is said of the answer, and a section without mid by its index", () => {
    const story = new Relay();
    const bare = (sdp: string) => renumbered(sdp).replaceAll(/^a=(?:mid|group).*\r\n/gm, "");
    const [offer, answer] = variant([PUBLISH.offer, PUBLISH.answer!], 2);
    const swap = (sdp: string, from: string, to: string) => sdp.replaceAll(`a=${from}`, `a=${to}`);
    story
      .join("carol")
      .offer("carol", "sfu", swap(bare(offer), "sendonly", "recvonly"))
      .answer("sfu", "carol", swap(bare(answer), "recvonly", "sendonly"));
    const flow = story.pure.session.links
      .get("carol~sfu")!
      .flows.flows.find(({ from, kind }) => from === "sfu" && kind === "video")!;
    accepted(
      story.pure.send("sfu", {
        type: "sources",
        flow: flow.id,
        sourceFlows: [UPLINK],
        topology: "relay",
      }),
    );
    const [found] = story.pure.session.links.get("carol~sfu")!.findings.slice(-1);
    expect(found).toMatchObject({ rule: "relay-pt-mismatch", description: "answer", mLine: 1 });
    expect(found).not.toHaveProperty("mid");
  });
});
