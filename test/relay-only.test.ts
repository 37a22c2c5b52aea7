import { describe, expect, it } from "vitest";
import type { ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import type { SessionRequest } from "../protocol/session-config.ts";
import { transportFor } from "../protocol/shown-transports.ts";
import type { SelectedPair, Transport } from "../protocol/transport.ts";
import type { IceGrant } from "../protocol/views.ts";
import { recordOf } from "./corpus.ts";
import { callJson, LiveSession, MODES } from "./live-session.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** Sessions with `iceTransportPolicy: relay`: nobody learns an address of another peer's own. */

const RELAYS = recordOf("chromium.relay-only");
const HOSTS = recordOf("chromium.connected-host-candidates");
const TRICKLE = recordOf("chromium.trickle-no-candidates");

const candidate = (rest: string, mid = "0") => ({
  candidate: `candidate:1 1 udp 2113937151 ${rest}`,
  sdpMid: mid,
  sdpMLineIndex: Number(mid),
});
const own = candidate("192.0.2.77 55052 typ host");
const named = candidate("0f1e2d3c.local 55052 typ host");
const reflexive = candidate("203.0.113.9 55052 typ srflx raddr 192.0.2.77 rport 55052");
const related = candidate("198.51.100.7 40000 typ relay raddr 192.0.2.77 rport 55052");
const relayed = candidate("198.51.100.7 40000 typ relay raddr 0.0.0.0 rport 0");
const end = { candidate: "", sdpMid: "0", sdpMLineIndex: 0 };
const OWN = [own, named, reflexive, related];

class RelayOnly extends PureSession {
  constructor(config: SessionRequest = {}) {
    super({ iceTransportPolicy: "relay", ...config });
    accepted(this.join("alice"));
    accepted(this.join("bob"));
    this.take("alice");
    this.take("bob");
  }

  offer(sdp: string) {
    return this.send("alice", { type: "offer", to: "bob", sdp });
  }

  answer(sdp: string, exchange = 1) {
    return this.send("bob", { type: "answer", to: "alice", exchange, sdp });
  }

  trickle(from: string, candidates: object[], complete?: boolean) {
    return this.send(from, {
      type: "candidates",
      to: from === "alice" ? "bob" : "alice",
      exchange: 1,
      candidates: candidates as never,
      ...(complete && { complete }),
    });
  }

  /** All that anybody was sent, or could read now. */
  everything(): string {
    const read = ["alice", "bob"].map((peer) => {
      const links = this.send(peer, { type: "state", id: 1 });
      accepted(this.do({ type: "lost", peer, at: this.at }));
      accepted(this.join(peer));
      return [links, this.take(peer)];
    });
    return JSON.stringify([read, [...this.inbox.values()]]);
  }
}

const candidatesSent = (messages: readonly ToPeer[]): string[] =>
  messages.flatMap((message) =>
    message.type === "candidates" ? message.candidates.map((each) => each.candidate) : [],
  );

const rulesOf = (findings: unknown): string[] => (findings as SdpFinding[]).map(({ rule }) => rule);

describe("trickled candidates of a relay-only session", () => {
  it.each(OWN)("[A2] enforced: one that is not only a relay's is refused: $candidate", (each) => {
    const call = new RelayOnly();
    accepted(call.offer(TRICKLE.offer));
    const refused = call.trickle("alice", [relayed, each, end], true);
    expect(refused).toMatchObject({
      code: "sdp-invalid",
      broken: 1,
      finding: { level: "error", source: "Duplex session iceTransportPolicy" },
    });
    // The others of the message go on, and so does their end (D1).
    expect(candidatesSent(call.take("bob"))).toEqual([relayed.candidate, ""]);
    expect(call.everything()).not.toMatch(/192\.0\.2\.77|203\.0\.113|0f1e2d3c/);
    expect(rulesOf(call.session.links.get("alice~bob")?.findings)).toContain(
      each === related ? "candidate-policy-related-address" : "candidate-policy-relay-only",
    );
  });

  it.each(OWN)("[A2] reported: it is dropped, recorded and told: $candidate", (each) => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    accepted(call.offer(TRICKLE.offer));
    const { ack } = accepted(call.trickle("alice", [each, relayed, each], true));
    const rule =
      each === related ? "candidate-policy-related-address" : "candidate-policy-relay-only";
    // Once, however many there are.
    expect(rulesOf(ack?.findings).filter((found) => found === rule)).toEqual([rule]);
    expect(candidatesSent(call.take("bob"))).toEqual([relayed.candidate]);
    expect(rulesOf(call.session.links.get("alice~bob")?.findings)).toContain(rule);
    expect(call.everything()).not.toMatch(/192\.0\.2\.77|203\.0\.113|0f1e2d3c/);
  });

  it.each(["enforce", "report"] as const)(
    "[A2] candidates that wait for their answer are sorted when they come: %s",
    (sdpPolicy) => {
      const call = new RelayOnly({ sdpPolicy });
      accepted(call.offer(TRICKLE.offer));
      call.trickle("bob", [own, relayed, own], true);
      expect(candidatesSent(call.take("alice"))).toEqual([]);
      accepted(call.answer(TRICKLE.answer ?? ""));
      expect(candidatesSent(call.take("alice"))).toEqual([relayed.candidate]);
      expect(call.everything()).not.toContain("192.0.2.77");
    },
  );

  it("[A2] those of a description that cannot be read are sorted, too", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    accepted(call.offer("v=0\r\nm=audio\r\n"));
    const { ack } = accepted(call.trickle("alice", [own, relayed, end]));
    expect(rulesOf(ack?.findings)).toEqual(["candidate-policy-relay-only"]);
    expect(candidatesSent(call.take("bob"))).toEqual([relayed.candidate, ""]);
  });

  it("[A2] a session that allows all passes them, and so does a media server's in any", () => {
    const all = new RelayOnly({ iceTransportPolicy: "all" });
    accepted(all.offer(TRICKLE.offer));
    accepted(all.trickle("alice", OWN));
    expect(candidatesSent(all.take("bob"))).toHaveLength(4);
    const central = new PureSession({ iceTransportPolicy: "relay", topology: "central" });
    accepted(central.join("sfu", "media-server"));
    accepted(central.join("alice"));
    accepted(central.send("sfu", { type: "offer", to: "alice", sdp: HOSTS.offer }));
    const told = accepted(
      central.send("sfu", { type: "candidates", to: "alice", exchange: 1, candidates: [own] }),
    );
    expect(told.ack).toEqual({});
    expect(candidatesSent(central.take("alice"))).toEqual([own.candidate]);
  });
});

/** A description as a stack with a policy of its own makes it, with line ends of all kinds. */
const LEAKY = TRICKLE.offer
  .replace(/^(o=.*) \S+\r$/m, "$1 192.0.2.77\r")
  .replace(/^m=audio \d+/m, "m=audio 55052")
  .replace(/^c=IN IP4 \S+\r\n/m, "c=IN IP4 192.0.2.77/127\n")
  .replace(/^a=rtcp:\d+ .*\r$/m, "a=rtcp:55053 IN IP6 2001:db8::77\r")
  .replace(
    /^a=ice-ufrag/m,
    `a=${own.candidate}\r\na=${relayed.candidate}\r\na=${related.candidate}\r\na=ice-ufrag`,
  );
const CLEAN = TRICKLE.offer
  .replace(/^(o=.*) \S+\r$/m, "$1 0.0.0.0\r")
  .replace(/^m=audio \d+/m, "m=audio 9")
  .replace(/^c=IN IP4 \S+\r\n/m, "c=IN IP4 0.0.0.0\n")
  .replace(/^a=rtcp:\d+ .*\r$/m, "a=rtcp:9 IN IP6 ::\r")
  .replace(/^a=ice-ufrag/m, `a=${relayed.candidate}\r\na=ice-ufrag`);

describe("descriptions of a relay-only session", () => {
  it("[D3] those of a browser that was told to use relays only pass without an error", () => {
    const call = new RelayOnly();
    expect(accepted(call.offer(RELAYS.offer)).ack?.findings ?? []).toEqual([]);
    expect(outcome(call.answer(RELAYS.answer ?? ""))).toBe("accepted");
    expect(call.take("bob", "offer")).toEqual([
      { type: "offer", from: "alice", exchange: 1, sdp: RELAYS.offer },
    ]);
  });

  it.each([
    ["candidates", HOSTS.offer, "candidate-policy-relay-only"],
    ["default destinations", CLEAN.replace("IP4 0.0.0.0\n", "IP4 192.0.2.77\n"), undefined],
  ])("[A2] enforced: an offer that shows its author's %s is refused", (_what, sdp, rule) => {
    const call = new RelayOnly();
    const refused = call.offer(sdp);
    expect(refused).toMatchObject({
      code: "sdp-invalid",
      finding: { rule: rule ?? "address-policy-relay-only" },
    });
    expect(isProblem(refused) && JSON.stringify(refused)).not.toContain("192.0.2.77");
    expect(call.take("bob")).toEqual([]);
    expect(call.session.links.get("alice~bob")).toMatchObject({ open: null, exchange: 0 });
  });

  it("[N9] reported: it goes on without what shows an address, and both sides are told", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    const { ack } = accepted(call.offer(LEAKY));
    expect(new Set(rulesOf(ack?.findings))).toEqual(
      new Set([
        "candidate-policy-relay-only",
        "candidate-policy-related-address",
        "address-policy-relay-only",
      ]),
    );
    // All else is byte for byte what was sent.
    expect(call.take("bob", "offer")).toEqual([
      { type: "offer", from: "alice", exchange: 1, sdp: CLEAN, withheld: 5 },
    ]);
    expect(call.everything()).not.toMatch(/192\.0\.2\.77|2001:db8::77|5505[23]/);
    const findings = call.session.links.get("alice~bob")?.findings;
    expect(rulesOf(findings)).toContain("address-policy-relay-only");
    expect(JSON.stringify(findings)).not.toContain("192.0.2.77");
  });

  it("[N6] what was withheld is told again to whoever reads the description again", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    accepted(call.offer(RELAYS.offer));
    const answer = String(RELAYS.answer).replace("typ relay", "typ host");
    accepted(call.answer(answer));
    const told = call.take("alice", "answer");
    expect(told).toMatchObject([{ type: "answer", withheld: 2 }]);
    accepted(call.do({ type: "lost", peer: "alice", at: call.at }));
    accepted(call.join("alice"));
    expect(call.take("alice", "answer")).toEqual(told);
    const { ack } = accepted(call.send("bob", { type: "state", id: 1 }));
    expect(ack?.links?.[0]).toMatchObject({ offer: { exchange: 1 }, answer: { withheld: 2 } });
    expect(ack?.links?.[0]?.offer).not.toHaveProperty("withheld");
    // Counted is what the other side can use.
    expect(call.session.links.get("alice~bob")?.flows.transports[0]?.candidates.bob).toMatchObject({
      host: 0,
    });
  });

  it("[R3] what is sent again unchanged is known, though it was forwarded changed", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    accepted(call.offer(LEAKY));
    expect(accepted(call.offer(LEAKY))).toMatchObject({ effects: [], ack: { exchange: 1 } });
    const answer = `${TRICKLE.answer}a=${own.candidate}\r\n`;
    accepted(call.answer(answer));
    expect(accepted(call.answer(answer))).toMatchObject({ effects: [], ack: {} });
    expect(call.session.links.get("alice~bob")).toMatchObject({ exchange: 1, open: null });
  });

  it("[A2] a session-level default destination takes the ports of the sections with it", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    const sdp = TRICKLE.offer
      .replaceAll(/^c=.*\r\n/gm, "")
      .replace(/^t=/m, "c=IN IP4 192.0.2.77\r\nt=")
      .replace(/^m=audio \d+/m, "m=audio 55052");
    accepted(call.offer(sdp));
    const [offer] = call.take("bob", "offer") as { sdp: string; withheld: number }[];
    expect(offer?.sdp).toContain("\r\nc=IN IP4 0.0.0.0\r\n");
    expect(offer?.sdp).toContain("\r\nm=audio 9 ");
    expect(offer?.withheld).toBe(1);
  });

  it("[A2] an address is found where there is little else", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    accepted(call.offer(CLEAN.replace("c=IN IP4 0.0.0.0\n", "c=\r\nc=192.0.2.77\r\n")));
    const [offer] = call.take("bob", "offer") as { sdp: string }[];
    expect(offer?.sdp).toBe(CLEAN.replace("c=IN IP4 0.0.0.0\n", "c=\r\nc=0.0.0.0\r\n"));
  });

  it("[D4] what is too large is refused under either policy", () => {
    const call = new RelayOnly({ sdpPolicy: "report" });
    expect(outcome(call.offer(`${HOSTS.offer}${"a=x:y\r\n".repeat(17_000)}`))).toBe(
      "sdp-too-large",
    );
  });
});

/** As Chromium's getStats tells it: its own interface behind its relay, and what it sees of the other end. */
const pairOf = (n: number): SelectedPair => ({
  local: {
    candidateType: "relay",
    address: `198.51.100.${n}`,
    port: 40_000 + n,
    protocol: "udp",
    relayProtocol: "tcp",
    url: `turn:turn${n}.example.com:3478?transport=tcp`,
    relatedAddress: `192.0.2.${n}`,
    relatedPort: 5000 + n,
    usernameFragment: `ufr${n}`,
  },
  remote: { candidateType: "prflx", address: `203.0.113.${n}`, port: 60_000 + n, protocol: "udp" },
});

it("[A3] the welcome tells whether relays end with their credentials", () => {
  const welcomeWith = (ice: IceGrant) => {
    const call = new PureSession();
    const grant = call.grant("alice");
    accepted(call.do({ type: "join", grant, ice, at: call.at }));
    return call.take("alice", "welcome")[0];
  };
  const ice = { iceServers: [], expiresAt: 1_700_000_000_000 };
  expect(welcomeWith(ice)).not.toHaveProperty("allocationsExpire");
  expect(welcomeWith({ ...ice, allocationsExpire: true })).toMatchObject({
    iceServersExpireAt: 1_700_000_000_000,
    allocationsExpire: true,
  });
});

it("[A2] a report of little is shown as little", () => {
  const end = { candidateType: "relay" } as const;
  const transport = {
    selectedPair: { bob: { local: end, remote: end } },
    fiveTuples: [
      {
        peer: "bob",
        protocol: "unknown",
        local: {},
        remote: {},
        relay: { relayed: {}, remote: {} },
      },
    ],
  } as unknown as Transport;
  expect(transportFor({ id: "alice", role: "peer" }, transport)).toEqual(transport);
});

describe.each(MODES)("records of transports, %s", (mode) => {
  it("[A2] an end reads its own report; of the other's it learns no address, by no door", async () => {
    const session = await LiveSession.start(mode, { iceTransportPolicy: "relay" });
    const alice = await session.join();
    const bob = await session.join();
    const eve = await session.join({ role: "observer" });
    const to = { to: bob.id };
    await alice.request({ id: 1, type: "offer", ...to, sdp: RELAYS.offer } as never);
    await bob.request({
      id: 1,
      type: "answer",
      to: alice.id,
      exchange: 1,
      sdp: RELAYS.answer,
    } as never);
    const report = (n: number, id: number) =>
      ({ id, type: "transport", state: "connected", pair: pairOf(n) }) as const;
    await alice.request({ ...report(1, 2), ...to } as never);
    await bob.request({ ...report(2, 2), to: alice.id } as never);

    const read = async (token: string | undefined, query = "") => {
      const headers = { authorization: `Bearer ${token ?? "test-key"}` };
      const path = `${session.path}/flows${query}`;
      return (await callJson(path, "GET", undefined, headers)).text();
    };
    const placesOf = (n: number) =>
      new RegExp(`(198\\.51\\.100|192\\.0\\.2|203\\.0\\.113)\\.${n}\\b|turn${n}`);
    const atAlice = await read(alice.token);
    expect(atAlice).toMatch(placesOf(1));
    expect(atAlice).not.toMatch(placesOf(2));
    // What the other end's path is made of is no address.
    expect(atAlice).toContain('{"candidateType":"relay","protocol":"udp","relayProtocol":"tcp"}');
    for (const text of [await read(eve.token), await read(undefined)]) {
      expect(text).toMatch(placesOf(1));
      expect(text).toMatch(placesOf(2));
    }

    // Nor can it be guessed by asking.
    const found = async (query: string, token: string) =>
      (JSON.parse(await read(token, query)) as { flows: unknown[] }).flows.length;
    expect(await found("?localAddress=192.0.2.2", alice.token)).toBe(0);
    expect(await found("?localAddress=192.0.2.2", eve.token)).toBeGreaterThan(0);
    expect(await found("?localAddress=192.0.2.1", alice.token)).toBeGreaterThan(0);

    // Events and the welcome agree with what is read (F4).
    const { transports } = JSON.parse(atAlice) as { transports: unknown[] };
    const events = await alice.all("flows");
    expect(JSON.stringify(events)).not.toMatch(placesOf(2));
    expect(events.flatMap((event) => event.transports).at(-1)).toEqual(transports[0]);
    const { webSocket } = await session.upgrade(alice.token);
    const frame = new Promise<string>((resolve) => {
      webSocket?.addEventListener("message", ({ data }) => resolve(String(data)));
    });
    webSocket?.accept();
    const welcome = JSON.parse(await frame) as { flows: { transports: unknown[] } };
    expect(welcome.flows.transports).toEqual(transports);
    webSocket?.close();
  });
});
