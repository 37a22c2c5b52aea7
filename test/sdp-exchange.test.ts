import { describe, expect, it } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import type { RecordedFinding } from "../protocol/session.ts";
import { CORPUS, recordOf } from "./corpus.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { replace } from "./sdp-examples.ts";
import { again, otherCertificate, restart } from "./sdp-story.ts";

/** What only the server can notice, in exchanges of two peers over real sockets. */

const CALL = "chromium.connected-host-candidates";
const offer = recordOf(CALL).offer;
const answer = recordOf(CALL).answer!;

class Exchange {
  readonly session: LiveSession;
  readonly alice: LivePeer;
  readonly bob: LivePeer;
  #id = 0;

  constructor(session: LiveSession, alice: LivePeer, bob: LivePeer) {
    this.session = session;
    this.alice = alice;
    this.bob = bob;
  }

  static async start(mode: "awake" | "evicted", config: object = {}): Promise<Exchange> {
    const session = await LiveSession.start(mode, config);
    return new Exchange(session, await session.join(), await session.join());
  }

  async offer(sdp: string) {
    this.#id += 1;
    return this.alice.request({ type: "offer", id: this.#id, to: this.bob.id, sdp } as never);
  }

  async answer(exchange: number, sdp: string) {
    this.#id += 1;
    return this.bob.request({
      type: "answer",
      id: this.#id,
      to: this.alice.id,
      exchange,
      sdp,
    } as never);
  }

  async candidates(candidates: object[]) {
    this.#id += 1;
    return this.alice.request({
      type: "candidates",
      id: this.#id,
      to: this.bob.id,
      exchange: 1,
      candidates,
    } as never);
  }

  /** An exchange that must be taken, text for text. */
  async agree(exchange: number, offered: string, answered: string): Promise<void> {
    expect(await this.offer(offered)).toMatchObject({ type: "ack", exchange });
    expect(await this.bob.next("offer")).toMatchObject({ exchange, sdp: offered });
    expect(await this.answer(exchange, answered)).toMatchObject({ type: "ack" });
    expect(await this.alice.next("answer")).toMatchObject({ exchange, sdp: answered });
  }

  async findings(): Promise<RecordedFinding[]> {
    const path = "/findings";
    return (await this.session.read<{ findings: RecordedFinding[] }>(path)).findings;
  }

  async live(): Promise<string[]> {
    const { flows } = await this.session.read<FlowsView>("/flows");
    return flows.filter(({ state }) => state !== "ended").map(({ id }) => id);
  }
}

const refusedBy = (rule: string) => ({
  type: "problem",
  code: "sdp-invalid",
  status: 422,
  finding: { rule, level: "error" },
});

describe.each(MODES)("%s", (mode) => {
  it("[D1] an offer echoed as its own answer is refused; the real answer is taken", async () => {
    const call = await Exchange.start(mode);
    await call.offer(offer);
    expect(await call.answer(1, offer)).toMatchObject(refusedBy("ice-ufrag-same-both-ends"));
    const disguised = offer.replaceAll("a=setup:actpass", "a=setup:active");
    expect(await call.answer(1, disguised)).toMatchObject(refusedBy("ice-ufrag-same-both-ends"));
    expect(await call.alice.all("answer")).toEqual([]);
    expect(await call.answer(1, answer)).toMatchObject({ type: "ack" });
    expect((await call.alice.next("answer")).sdp).toBe(answer);
  });

  it.each([
    [
      "only the ICE password changed",
      "ice-partial-restart",
      replace(/^a=ice-pwd:.*$/gm, "a=ice-pwd:onlyThePasswordIsNew1234"),
    ],
    [
      "another certificate without a restart",
      "fingerprint-changed-without-restart",
      otherCertificate,
    ],
    [
      "the last m-section is gone",
      "m-line-dropped",
      (sdp: string) =>
        sdp.slice(0, sdp.lastIndexOf("m=application")).replace("BUNDLE 0 1 2", "BUNDLE 0 1"),
    ],
  ] as const)(
    "[D1] an offer where %s is refused as %s, and the call goes on",
    async (_what, rule, mutate) => {
      const call = await Exchange.start(mode);
      await call.agree(1, offer, answer);
      const flows = await call.live();
      expect(await call.offer(again(offer, mutate))).toMatchObject(refusedBy(rule));
      expect(await call.live()).toEqual(flows);
      await call.agree(2, again(offer), again(answer));
      const [finding] = (await call.findings()).filter((found) => found.rule === rule);
      expect(finding).toMatchObject({ from: call.alice.id, refused: true, description: "offer" });
    },
  );

  it("[D1] a restart answered with the old credentials is refused; answered with new ones it is taken", async () => {
    const call = await Exchange.start(mode);
    await call.agree(1, offer, answer);
    const restarted = again(offer, restart);
    expect(await call.offer(restarted)).toMatchObject({ type: "ack", exchange: 2 });
    expect(await call.answer(2, again(answer))).toMatchObject(
      refusedBy("ice-restart-not-answered"),
    );
    expect(await call.answer(2, again(answer, restart))).toMatchObject({ type: "ack" });
  });

  it("[D1] an answer that swaps payload types is refused; media would break in silence", async () => {
    const call = await Exchange.start(mode);
    await call.offer(offer);
    const swapped = answer
      .replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP9/90000")
      .replace("a=rtpmap:98 VP9/90000", "a=rtpmap:98 VP8/90000");
    expect(swapped).not.toBe(answer);
    expect(await call.answer(1, swapped)).toMatchObject(refusedBy("payload-type-remapped"));
    expect(await call.answer(1, answer)).toMatchObject({ type: "ack" });
  });

  it("[D1] an answer that restarts what nobody asked to restart is refused", async () => {
    const call = await Exchange.start(mode);
    await call.agree(1, offer, answer);
    await call.offer(again(offer));
    expect(await call.answer(2, again(answer, restart))).toMatchObject(
      refusedBy("ice-restart-not-requested"),
    );
    expect(await call.answer(2, again(answer))).toMatchObject({ type: "ack" });
  });

  it("[D1] where the policy is to report, all of it goes through and is recorded", async () => {
    const call = await Exchange.start(mode, { sdpPolicy: "report" });
    await call.offer(offer);
    expect(await call.answer(1, offer)).toMatchObject({
      type: "ack",
      findings: expect.arrayContaining([
        expect.objectContaining({ rule: "ice-ufrag-same-both-ends", level: "error" }),
      ]),
    });
    expect((await call.alice.next("answer")).sdp).toBe(offer);
    const rules = (await call.findings()).map(({ rule }) => rule);
    expect(rules).toContain("loop-detected");
  });

  it("[D1] broken candidates stay behind, the good ones of the same message go on", async () => {
    const call = await Exchange.start(mode);
    await call.offer(recordOf("chromium.trickle-no-candidates").offer);
    await call.bob.next("offer");
    const line = (text: string) => ({
      candidate: `candidate:${text}`,
      sdpMid: "0",
      sdpMLineIndex: 0,
    });
    const good = line("1 1 udp 2113937151 192.0.2.3 55052 typ host");
    const broken = line("2 1 udp 2113937151 192.0.2.3 70000 typ host");
    expect(await call.candidates([good, broken])).toMatchObject({
      ...refusedBy("candidate-port"),
      broken: 1,
    });
    expect(await call.bob.next("candidates")).toMatchObject({ candidates: [good] });
    const misplaced = { ...good, sdpMid: "9" };
    expect(await call.candidates([misplaced])).toMatchObject({
      code: "unknown-m-section",
      finding: { rule: "candidate-mid-unknown" },
    });
    expect((await call.findings()).map(({ rule }) => rule)).toContain("candidate-port");
  });
});

it("[D2] a warning comes with the ack, and no remark does", async () => {
  const call = await Exchange.start("awake");
  const warned = replace(/^a=ice-options:trickle$/gm, "a=ice-options:ice2,trickle")(offer);
  expect(await call.offer(warned)).toMatchObject({
    type: "ack",
    exchange: 1,
    findings: [{ rule: "ice-options-syntax", level: "warning", line: expect.any(Number) }, {}, {}],
  });
  const levels = (await call.findings()).map(({ level }) => level);
  expect(levels).toContain("info");
});

it("[D2] what is found again is kept once, with its newest place", async () => {
  const call = await Exchange.start("awake");
  for (let count = 0; count < 3; count += 1) await call.offer(offer.replace("v=0", "v=1"));
  const found = (await call.findings()).filter(({ rule }) => rule === "version-invalid");
  expect(found).toHaveLength(1);
});

const PAIRS = [...CORPUS].filter(([, { answer: answered }]) => answered !== null);

it.each(PAIRS)("[N9] %s: the bytes received are the bytes sent", async (_name, record) => {
  const call = await Exchange.start("awake", { sdpPolicy: "report" });
  await call.agree(1, record.offer, record.answer!);
});
