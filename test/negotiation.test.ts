import { describe, expect, it } from "vitest";
import type { FromPeer } from "../protocol/messages.ts";
import {
  LINK_STATES,
  NEGOTIATION_EVENTS,
  type NegotiationEvent,
  SIDES,
  TRANSITIONS,
} from "../protocol/negotiation.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/**
 * What every state x event x side must lead to, written down by hand from RFC 9429 s3.2 and N1 to N4: the
 * table is checked against this, and the running step against the table.
 */
const WANTED: Record<string, string> = {
  "stable offer offerer": "offered",
  "stable offer answerer": "offered",
  "stable answer offerer": "nothing-offered",
  "stable answer answerer": "nothing-offered",
  "stable reject offerer": "nothing-offered",
  "stable reject answerer": "nothing-offered",
  "stable rollback offerer": "nothing-offered",
  "stable rollback answerer": "nothing-offered",
  "stable expire offerer": "nothing-offered",
  "stable expire answerer": "nothing-offered",
  "stable candidates offerer": "stable",
  "stable candidates answerer": "stable",
  "offered offer offerer": "offered",
  "offered offer answerer": "glare",
  "offered answer offerer": "not-the-answerer",
  "offered answer answerer": "stable",
  "offered reject offerer": "not-the-answerer",
  "offered reject answerer": "stable",
  "offered rollback offerer": "stable",
  "offered rollback answerer": "not-the-offerer",
  "offered expire offerer": "stable",
  "offered expire answerer": "stable",
  "offered candidates offerer": "offered",
  "offered candidates answerer": "offered",
};

/** A link whose newest offerer is `alice`, in the state wanted, with one pair in force. */
function linkIn(state: "stable" | "offered"): PureSession {
  const pure = new PureSession();
  pure.join("alice");
  pure.join("bob");
  accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
  accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: answerSdp() }));
  if (state === "offered") {
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }) }));
  }
  pure.take("alice");
  pure.take("bob");
  return pure;
}

const answerSdp = (version = 1) => sdpOf({ setup: "active", ufrag: "wxyz", version });

function messageOf(event: NegotiationEvent, exchange: number, to: string, ufrag: string): FromPeer {
  switch (event) {
    case "offer":
      return {
        type: "offer",
        to,
        sdp: sdpOf({ of: to === "bob" ? "alice" : "bob", version: 7, ufrag }),
      };
    case "answer":
      return { type: "answer", to, exchange, sdp: answerSdp(7) };
    case "candidates":
      return { type: "candidates", to, exchange, candidates: [candidateOf(9, ufrag)] };
    case "reject":
      return { type: "reject", to, exchange };
    default:
      return { type: "rollback", to, exchange };
  }
}

describe("the table", () => {
  for (const state of LINK_STATES) {
    for (const event of NEGOTIATION_EVENTS) {
      for (const side of SIDES) {
        const name = `${state} ${event} ${side}`;
        it(`[N2] ${name} leads to ${WANTED[name]}`, () => {
          const row = TRANSITIONS[state][event][side];
          expect("problem" in row ? row.problem : row.next).toBe(WANTED[name]);
        });
        if (event === "expire") continue;
        it(`[N2] the step does as the table says: ${name}`, () => {
          const pure = linkIn(state);
          const [sender, other] = side === "offerer" ? ["alice", "bob"] : ["bob", "alice"];
          const exchange = state === "offered" ? 2 : 1;
          const ufrag = sender === "alice" ? "abcd" : "wxyz";
          const before = pure.session;
          const result = pure.send(sender!, messageOf(event, exchange, other!, ufrag));
          const row = TRANSITIONS[state][event][side];
          if ("problem" in row) {
            expect(outcome(result)).toBe(row.problem);
            expect(pure.session).toBe(before);
            expect(pure.take(other!)).toEqual([]);
            return;
          }
          expect(outcome(result)).toBe("accepted");
          const link = pure.session.links.get("alice~bob")!;
          expect(link.open ? "offered" : "stable").toBe(row.next);
          const told = pure.take(other!).map(({ type }) => type);
          if (row.act === "hold") expect(told).not.toContain("candidates");
          else expect(told).toContain(event);
        });
      }
    }
  }

  it("[N2] the list of wanted outcomes is complete", () => {
    expect(Object.keys(WANTED)).toHaveLength(
      LINK_STATES.length * NEGOTIATION_EVENTS.length * SIDES.length,
    );
  });
});

describe("exchanges", () => {
  for (const event of ["answer", "candidates", "reject", "rollback"] as const) {
    for (const state of LINK_STATES) {
      for (const wrong of [99, state === "offered" ? 3 : 2]) {
        it(`[N1] ${event} for exchange ${wrong} in ${state} is stale and not forwarded`, () => {
          const pure = linkIn(state);
          const result = pure.send("bob", messageOf(event, wrong, "alice", "wxyz"));
          expect(result).toMatchObject({
            code: "stale-negotiation",
            exchange: state === "offered" ? 2 : 1,
          });
          expect(pure.take("alice")).toEqual([]);
        });
      }
    }
  }

  it("[N1] numbers grow per link, also after the peer has left and come back", () => {
    const pure = linkIn("stable");
    accepted(pure.send("bob", { type: "leave" }));
    pure.join("bob");
    expect(
      accepted(pure.send("bob", { type: "offer", to: "alice", sdp: sdpOf({ of: "bob" }) })).ack,
    ).toEqual({
      exchange: 2,
    });
  });

  it("[N1] an offer that is sent again while it is open is the same exchange", () => {
    const pure = linkIn("offered");
    const again = accepted(
      pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }) }),
    );
    expect(again.ack).toEqual({ exchange: 2 });
    expect(pure.take("bob")).toEqual([]);
  });

  it("[R1] an answer that is sent again is acknowledged and has no second effect", () => {
    const pure = linkIn("stable");
    const before = pure.session;
    const again = { type: "answer", to: "alice", exchange: 1, sdp: answerSdp() } as const;
    expect(outcome(pure.send("bob", again))).toBe("accepted");
    expect(pure.session).toBe(before);
    expect(pure.take("alice")).toEqual([]);
  });

  it("[N3] the first offer is in force; the other sender learns its number and can answer it", () => {
    const pure = new PureSession();
    pure.join("alice");
    pure.join("bob");
    accepted(pure.send("bob", { type: "offer", to: "alice", sdp: sdpOf({ of: "bob" }) }));
    const lost = pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ ufrag: "zzzz" }) });
    expect(lost).toMatchObject({ code: "glare", exchange: 1 });
    expect(pure.take("bob", "offer")).toEqual([]);
    expect(pure.take("alice", "offer")).toMatchObject([{ from: "bob", exchange: 1 }]);
    accepted(pure.send("alice", { type: "answer", to: "bob", exchange: 1, sdp: answerSdp() }));
  });

  it("[R2] a peer that comes back with its own offer open is not sent the old answer (found by the property)", () => {
    const pure = linkIn("offered");
    pure.join("alice");
    expect(pure.take("alice", "offer", "answer")).toEqual([]);
  });

  it.each([
    ["reject", "bob", "alice"],
    ["rollback", "alice", "bob"],
  ] as const)("[N4] %s returns the link to the last stable state", (type, sender, other) => {
    const pure = linkIn("stable");
    const stable = pure.session.links.get("alice~bob")!;
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }) }));
    accepted(pure.send(sender, { type, to: other, exchange: 2 }));
    const link = pure.session.links.get("alice~bob")!;
    expect(link.open).toBeNull();
    expect(link.inForce).toEqual(stable.inForce);
    expect(pure.take(other, type)).toEqual([{ type, from: sender, exchange: 2 }]);
  });

  it("[N7] an offer unanswered for 60 s expires and both ends learn it", () => {
    const pure = linkIn("offered");
    pure.at += 59_999;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    expect(pure.take("bob")).toEqual([]);
    pure.at += 1;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    expect(pure.take("alice", "expired")).toEqual([{ type: "expired", from: "bob", exchange: 2 }]);
    expect(pure.take("bob", "expired")).toEqual([{ type: "expired", from: "alice", exchange: 2 }]);
    expect(pure.session.links.get("alice~bob")).toMatchObject({ open: null, exchange: 2 });
  });

  it("[N9] descriptions arrive byte for byte, whatever their line ends and characters", () => {
    const pure = linkIn("stable");
    const odd = `${sdpOf().replaceAll("\r\n", "\n")}a=x-note:\u00e4\u{1f600} \t \n`;
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: odd }));
    expect(pure.take("bob", "offer")).toMatchObject([{ sdp: odd }]);
  });
});

describe("candidates", () => {
  it("[N5] wait for the answer they belong to and follow it in order, once", () => {
    const pure = linkIn("offered");
    const send = (...numbers: number[]) =>
      accepted(
        pure.send("bob", {
          type: "candidates",
          to: "alice",
          exchange: 2,
          candidates: numbers.map((n) => candidateOf(n, "wxyz")),
        }),
      );
    send(1, 2);
    send(2, 3);
    expect(pure.take("alice", "candidates")).toEqual([]);
    accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 2, sdp: answerSdp(2) }));
    const told = pure.take("alice", "answer", "candidates");
    expect(told.map(({ type }) => type)).toEqual(["answer", "candidates"]);
    expect(told[1]).toMatchObject({
      candidates: [1, 2, 3].map((n) => candidateOf(n, "wxyz")),
    });
  });

  it("[N5] of an old generation are dropped and recorded", () => {
    const pure = linkIn("stable");
    const sent = [candidateOf(1, "old1"), candidateOf(2, "abcd")];
    accepted(pure.send("alice", { type: "candidates", to: "bob", exchange: 1, candidates: sent }));
    expect(pure.take("bob", "candidates")).toMatchObject([{ candidates: [sent[1]] }]);
    expect(pure.session.trickle.get("alice~bob")).toMatchObject([{ dropped: 1 }]);
  });

  it("[N5] end of candidates is carried, once", () => {
    const pure = linkIn("stable");
    const last: FromPeer = {
      type: "candidates",
      to: "bob",
      exchange: 1,
      candidates: [],
      complete: true,
    };
    accepted(pure.send("alice", last));
    accepted(pure.send("alice", last));
    expect(pure.take("bob", "candidates")).toEqual([
      { type: "candidates", from: "alice", exchange: 1, candidates: [], complete: true },
    ]);
  });

  it("[N5] of the pair in force still get through while a re-offer is open", () => {
    const pure = linkIn("offered");
    accepted(
      pure.send("bob", {
        type: "candidates",
        to: "alice",
        exchange: 1,
        candidates: [candidateOf(5, "wxyz")],
      }),
    );
    expect(pure.take("alice", "candidates")).toMatchObject([{ exchange: 1 }]);
  });

  it("[N5] for an m-section that is not there are refused", () => {
    const pure = linkIn("stable");
    const stray = { ...candidateOf(1), sdpMid: "nowhere" };
    const result = pure.send("alice", {
      type: "candidates",
      to: "bob",
      exchange: 1,
      candidates: [stray],
    });
    expect(outcome(result)).toBe("unknown-m-section");
    expect(pure.take("bob")).toEqual([]);
  });

  it("[S7] more than the limit are refused and none of them kept", () => {
    const pure = linkIn("stable");
    const send = (from: number, count: number) =>
      pure.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: Array.from({ length: count }, (_, i) => candidateOf(from + i)),
      });
    expect(outcome(send(0, 250))).toBe("accepted");
    expect(outcome(send(250, 7))).toBe("too-many-candidates");
    expect(outcome(send(250, 6))).toBe("accepted");
  });

  it("[N6] descriptions and candidates can be read again by both peers", () => {
    const pure = linkIn("stable");
    accepted(
      pure.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: [candidateOf(1)],
      }),
    );
    for (const peer of ["alice", "bob"]) {
      const { ack } = accepted(pure.send(peer, { type: "state", id: 5 }));
      expect(ack?.links).toMatchObject([
        {
          state: "stable",
          offer: { exchange: 1, from: "alice", sdp: sdpOf() },
          answer: { exchange: 1, from: "bob", sdp: answerSdp() },
          candidates: [{ from: "alice", exchange: 1, candidates: [candidateOf(1)] }],
        },
      ]);
    }
  });
});
