import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FlowReports } from "../../client/flow-reports.ts";
import type { PeerView, QualityReport } from "../../protocol/message-parts.ts";
import { brief, Story } from "../verdict-story.ts";

/** What the SDK tells of loss, by a clock of the test's own, and what the server makes of it. */

const faults: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("reportError", (fault: unknown) => faults.push(fault));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  expect(faults).toEqual([]);
});

/** Bob receives the audio of Alice, 250 packets in five seconds of which some are lost, and her picture where that is asked for. */
class Call {
  readonly story = new Story()
    .agree({ sections: [{ kind: "audio" }, { kind: "video" }] })
    .report("alice", "connected")
    .report("bob", "connected");
  readonly told: QualityReport[][] = [];
  connected = true;
  readonly reports: FlowReports;
  /** How far her picture is from her voice; undefined: there is no picture. */
  strayMs: number | undefined;
  #packets = 0;
  #lost = 0;

  constructor() {
    const ids = () => [
      this.story.flow("alice"),
      ...(this.strayMs === undefined ? [] : [this.story.flow("alice", "video")]),
    ];
    const connection = { getStats: () => Promise.resolve(this.#stats()) };
    const flows = [...this.story.session.links.values()].flatMap((link) => link.flows.flows);
    const port = {
      isConnected: () => this.connected,
      get connected(): boolean {
        return this.isConnected();
      },
      send: (message: { flows: QualityReport[] }) => {
        this.told.push(message.flows);
        this.story.measure("bob", ...message.flows);
      },
    };
    this.reports = new FlowReports(
      connection as unknown as RTCPeerConnection,
      {
        self: { id: "bob" } as PeerView,
        port: port as never,
        flows: () => flows.filter(({ id }) => ids().includes(id)) as never,
      },
      "alice",
      {},
    );
    this.reports.stateIs("connected");
  }

  #stats(): ReadonlyMap<string, object> {
    const received = {
      id: "in",
      type: "inbound-rtp",
      mid: "0",
      ssrc: 1,
      timestamp: Date.now(),
      bytesReceived: this.#packets * 100,
      packetsReceived: this.#packets,
      packetsLost: this.#lost,
      estimatedPlayoutTimestamp: Date.now(),
    };
    if (this.strayMs === undefined) return new Map([["in", received]]);
    const picture = {
      ...received,
      id: "picture",
      mid: "1",
      ssrc: 2,
      estimatedPlayoutTimestamp: Date.now() + this.strayMs,
    };
    return new Map([
      ["in", received],
      ["picture", picture],
    ]);
  }

  come(): void {
    this.#packets += 250;
  }

  /** The stream counts from nothing, as in Firefox after a renegotiation. */
  restart(): void {
    this.#packets = 0;
    this.#lost = 0;
  }

  /** So many looks, each after so much loss. The bit rate is what it was: what is lost is made up for by what is sent. */
  async look(times: number, lost = 0): Promise<string[]> {
    const verdicts: string[] = [];
    for (let n = 0; n < times; n++) {
      this.come();
      this.#lost += lost;
      this.story.wait(5);
      await vi.advanceTimersByTimeAsync(5000);
      verdicts.push(brief(this.story.verdict));
    }
    return verdicts;
  }
}

it("[M15] loss that begins ten minutes into a call is known after two looks, and its end as well", async () => {
  const call = new Call();
  expect(new Set(await call.look(120))).toEqual(new Set(["working"]));
  const before = call.told.length;
  expect(await call.look(4, 60)).toEqual([
    "working",
    "degraded: heavy-loss",
    "degraded: heavy-loss",
    "degraded: heavy-loss",
  ]);
  expect((await call.look(4)).slice(1)).toEqual(["working", "working", "working"]);
  expect(call.told.length - before).toBeLessThanOrEqual(6);
});

it("[M15] loss that goes on is told of again and again, not at every look", async () => {
  const call = new Call();
  await call.look(10);
  const [, ...heavy] = await call.look(60, 60);
  expect(new Set(heavy)).toEqual(new Set(["degraded: heavy-loss"]));
  expect(call.told.length).toBeLessThan(30);
  await call.look(3);
  const { length } = call.told;
  await call.look(60);
  expect(call.told.length).toBe(length);
});

it("[M15] a packet now and then is no news, and what could not be told is told later", async () => {
  const call = new Call();
  await call.look(10, 1);
  const { length } = call.told;
  await call.look(20, 1);
  expect(call.told.length).toBe(length);
  call.connected = false;
  await call.look(2, 100);
  expect(call.told.length).toBe(length);
  call.connected = true;
  await call.look(2, 100);
  expect(brief(call.story.verdict)).toBe("degraded: heavy-loss");
  call.reports.stop();
});

it("[M14] a stream that counts anew has not stood still, and what it counted before is not lost", async () => {
  const call = new Call();
  await call.look(4, 10);
  const count = () => call.told.flat().length;
  const before = count();
  call.restart();
  await call.look(3, 10);
  const told = call.told.flat();
  expect(count()).toBeGreaterThan(before);
  expect(told.map(({ bitrateBps }) => bitrateBps)).not.toContain(0);
  expect(told.at(-1)).toMatchObject({ packets: 6 * 250, packetsLost: 60 });
  call.reports.stop();
});

it("[M14] a loss of synchrony of an hour is told at first, then about once a minute, and its end", async () => {
  const call = new Call();
  call.strayMs = 0;
  await call.look(6);
  call.told.length = 0;
  await call.look(12);
  expect(call.told).toEqual([]);
  call.strayMs = 300;
  const told = () => call.told.flat().map(({ qoe }) => [qoe?.syncLosses, qoe?.syncLossMs]);
  await call.look(1);
  expect(told()).toEqual([[1, 5_000]]);
  await call.look(719);
  const spans = told().map(([, ms = 0]) => ms);
  const gaps = spans.slice(1).map((ms, n) => ms - (spans[n] ?? 0));
  expect(new Set(told().map(([count]) => count))).toEqual(new Set([1]));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(60_000);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(70_000);
  expect(spans.at(-1)).toBeGreaterThan(3_500_000);
  call.strayMs = 0;
  await call.look(60);
  expect(told().at(-1)).toEqual([1, 3_600_000]);
  const { length } = call.told;
  await call.look(60);
  expect(call.told.length).toBe(length);
  call.reports.stop();
});

it("[M14] what is measured ends when the connection does, also in the middle of a look", async () => {
  const call = new Call();
  const measured = () => call.told.flat().at(-1)?.qoe?.measuredMs;
  await call.look(2);
  const before = measured();
  // The clock of the next look strikes, and its statistics come when all is over.
  call.story.wait(5);
  vi.advanceTimersByTime(5_000);
  call.reports.stateIs("disconnected");
  await vi.advanceTimersByTimeAsync(60_000);
  call.come();
  call.reports.repeat();
  call.reports.stateIs("connected");
  await vi.advanceTimersByTimeAsync(0);
  await call.look(1);
  expect(before).toBeGreaterThan(0);
  expect(call.told.flat().length).toBeGreaterThan(1);
  expect(measured()).toBeLessThanOrEqual(20_000);
  call.reports.stop();
});
