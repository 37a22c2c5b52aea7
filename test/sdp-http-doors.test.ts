import { describe, expect, it } from "vitest";
import { HTTP_DOOR_RULES } from "../protocol/sdp/rules/http-doors.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import { recordOf } from "./corpus.ts";
import { PureSession } from "./pure-session.ts";
import { type Mutation, replace } from "./sdp-examples.ts";
import { proveScenes, Story, scene } from "./sdp-story.ts";

const CALL = recordOf("chromium.connected-host-candidates");

const towards = (direction: string): Mutation =>
  replace(/^a=(?:sendrecv|sendonly|recvonly|inactive)$/gm, `a=${direction}`);
const mutated = (sdp: string, mutations: readonly Mutation[]): string =>
  mutations.reduce((text, mutate) => mutate(text), sdp);

/** alice comes through the door of a session with bob. */
const offered = (door: Door, ...mutations: Mutation[]): Story =>
  new Story().join("bob").post(door, "alice", "bob", mutated(CALL.offer, mutations));

/** And bob answers. */
const answered = (door: Door, ...mutations: Mutation[]): Story =>
  offered(door, towards(door === "whip" ? "sendonly" : "recvonly")).answer(
    "bob",
    "alice",
    mutated(CALL.answer ?? "", mutations),
  );

/** The first section of media once more. */
const twice: Mutation = (sdp) => {
  const [head = "", first = "", ...rest] = sdp.split(/^(?=m=)/m);
  const mid = /^a=mid:(\S+)/m.exec(first)?.[1] ?? "";
  const second = first.replace(`a=mid:${mid}`, "a=mid:again").replace(/^a=ssrc.*\r\n/gm, "");
  const bundle = head.replace(/^(a=group:BUNDLE.*)$/m, "$1 again");
  return [bundle, first, ...rest, second].join("");
};

/** Only its data channel is in use, or nothing. */
const noMedia: Mutation = (sdp) => sdp.replace(/^m=(audio|video) \d+/gm, "m=$1 0");

describe("descriptions of WHIP and WHEP", () => {
  it("the record is a call with media", () => {
    expect(CALL.offer).toMatch(/^m=(audio|video) /m);
  });

  proveScenes(HTTP_DOOR_RULES, {
    "http-client-direction": {
      accepted: [
        scene("a publisher that sends", () => offered("whip", towards("sendonly"))),
        scene("a publisher that says that it could receive", () => offered("whip")),
        scene("a player that receives", () => offered("whep", towards("recvonly"))),
        scene("the other side of a publisher receives", () =>
          answered("whip", towards("recvonly")),
        ),
        scene("the other side of a player sends", () => answered("whep", towards("sendonly"))),
        scene("the other side of a player has nothing to send now", () =>
          answered("whep", towards("inactive")),
        ),
        scene("a call without HTTP", () =>
          new Story().join("alice", "bob").offer("alice", "bob", CALL.offer),
        ),
      ],
      refused: [
        scene("a publisher that only receives", () => offered("whip", towards("recvonly"))),
        scene("a publisher that does neither", () => offered("whip", towards("inactive"))),
        scene("a player that only sends", () => offered("whep", towards("sendonly"))),
        scene("the other side of a publisher sends as well", () => answered("whip")),
        scene("the other side of a publisher does nothing", () =>
          answered("whip", towards("inactive")),
        ),
        scene("the other side of a player receives", () => answered("whep", towards("recvonly"))),
      ],
    },
    "http-client-media": {
      accepted: [
        scene("one of each at most", () => offered("whip", towards("sendonly"))),
        scene("of the other side nothing is asked", () => answered("whip", towards("recvonly"))),
      ],
      refused: [
        scene("two of a kind", () => offered("whip", towards("sendonly"), twice)),
        scene("none", () => offered("whep", noMedia)),
      ],
    },
    "whip-partial-answer": {
      accepted: [
        scene("all that is offered", () => answered("whip", towards("recvonly"))),
        scene("a player need not get all", () => answered("whep", noMedia)),
        scene("a publisher's own", () => offered("whip", noMedia)),
      ],
      refused: [scene("without the video", () => answered("whip", towards("recvonly"), noMedia))],
    },
  });

  it("[W3] an answer that is refused is a rejected offer for whoever waits", () => {
    const pure = new PureSession();
    pure.join("bob");
    const { at } = pure;
    const offer = mutated(CALL.offer, [towards("sendonly")]);
    pure.do({
      type: "open-http",
      door: "whip",
      grant: pure.grant("alice"),
      resource: "r",
      offer,
      at,
    });
    const refused = pure.send("bob", {
      type: "answer",
      to: "alice",
      exchange: 1,
      sdp: CALL.answer ?? "",
    });
    expect(refused).toMatchObject({ code: "sdp-invalid" });
    expect(pure.answered.get("alice")).toMatchObject({ code: "offer-rejected" });
    expect(pure.session.peers.has("alice")).toBe(false);
    const [link] = pure.session.links.values();
    expect(link?.findings.map(({ rule }) => rule)).toContain("http-client-direction");
  });
});
