import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SignallingPort } from "../../client/requests.ts";
import { SenderSteering } from "../../client/sender-steering.ts";
import { SenderLimits } from "../../client/swap-advice.ts";
import type { FlowSummary } from "../../protocol/flow-summary.ts";

/** What becomes of parameters that an application sets while the SDK limits or holds its sender. */

type Encoding = Partial<RTCRtpEncodingParameters> & { networkPriority?: RTCPriorityType };

const faults: unknown[] = [];

beforeEach(() => {
  vi.stubGlobal("reportError", (fault: unknown) => faults.push(fault));
});

afterEach(() => {
  vi.unstubAllGlobals();
  expect(faults).toEqual([]);
});

/** A sender that takes what it is given, and gives copies of it, as browsers do. */
class Sender {
  readonly track = {};
  #encodings: Encoding[];

  constructor(...encodings: Encoding[]) {
    this.#encodings = encodings;
  }

  get encodings(): readonly Encoding[] {
    return this.getParameters().encodings;
  }

  getParameters(): { encodings: Encoding[] } {
    return structuredClone({ encodings: this.#encodings });
  }

  async setParameters({ encodings }: { encodings: Encoding[] }): Promise<void> {
    // What is undefined is not there.
    this.#encodings = JSON.parse(JSON.stringify(encodings));
  }

  /** The application's own call. */
  choose(...chosen: Encoding[]): Promise<void> {
    const { encodings } = this.getParameters();
    return this.setParameters({
      encodings: chosen.map((each, n) => ({ ...encodings[n], ...each })),
    });
  }

  /** The browser has other encodings than before, because of what was negotiated. */
  negotiate(...encodings: Encoding[]): void {
    this.#encodings = encodings;
  }
}

/** A sender whose flow is steered. */
class Steered {
  readonly sender: Sender;
  readonly told: object[] = [];
  readonly #steering: SenderSteering;
  #revision = 0;

  constructor(...encodings: Encoding[]) {
    this.sender = new Sender(...encodings);
    const transceiver = { mid: "0", direction: "sendonly", sender: this.sender };
    const connection = {
      currentLocalDescription: {},
      signalingState: "stable",
      getTransceivers: () => [transceiver],
    };
    const request = async (message: object) => this.told.push(message);
    this.#steering = new SenderSteering(
      connection as unknown as RTCPeerConnection,
      { request } as unknown as SignallingPort,
    );
  }

  async obey(asked: {
    readonly bps?: number;
    readonly held?: boolean;
    readonly priority?: RTCPriorityType;
  }): Promise<readonly Encoding[]> {
    const { bps, held = false, priority } = asked;
    this.#revision++;
    this.#steering.obey({
      id: "f",
      revision: this.#revision,
      mid: "0",
      kind: "video",
      from: "alice",
      to: "bob",
      state: held ? "held" : "active",
      limits: bps === undefined ? {} : { effectiveBps: bps },
      requests: [{ by: "bob", held, ...(priority && { priority }) }],
      ...(priority && { priority }),
    } as FlowSummary);
    await new Promise((resolve) => setTimeout(resolve));
    return this.sender.encodings;
  }
}

describe("what an application sets of a sender", () => {
  it("[M5] comes back when nothing is asked any more", async () => {
    const own = { active: true, maxBitrate: 500_000, priority: "low" as const };
    const steered = new Steered(own);
    expect(await steered.obey({ bps: 300_000, priority: "high" })).toMatchObject([
      { maxBitrate: 300_000, priority: "high", networkPriority: "high" },
    ]);
    expect(await steered.obey({ held: true })).toMatchObject([{ active: false }]);
    expect(await steered.obey({})).toEqual([own]);
  });

  it("[M13] while it is limited is its own: a lower rate stays, a higher one comes back", async () => {
    const steered = new Steered({ active: true });
    await steered.obey({ bps: 300_000 });
    await steered.sender.choose({ maxBitrate: 100_000 });
    expect(await steered.obey({ bps: 400_000 })).toMatchObject([{ maxBitrate: 100_000 }]);
    expect(await steered.obey({ bps: 50_000 })).toMatchObject([{ maxBitrate: 50_000 }]);
    expect(await steered.obey({})).toEqual([{ active: true, maxBitrate: 100_000 }]);
    await steered.obey({ bps: 60_000 });
    await steered.sender.choose({ maxBitrate: 900_000 });
    expect(await steered.obey({ bps: 70_000 })).toMatchObject([{ maxBitrate: 70_000 }]);
    expect(await steered.obey({})).toEqual([{ active: true, maxBitrate: 900_000 }]);
  });

  it("[M13] what it switches off while it is limited is not switched on by another limit, or by its end", async () => {
    const steered = new Steered({ active: true, rid: "q" }, { active: true, rid: "f" });
    await steered.obey({ bps: 300_000 });
    await steered.sender.choose({}, { active: false });
    expect(await steered.obey({ bps: 200_000 })).toMatchObject([
      { active: true },
      { active: false },
    ]);
    expect(await steered.obey({ bps: 200_000, held: true })).toMatchObject([
      { active: false },
      { active: false },
    ]);
    expect(await steered.obey({})).toEqual([
      { active: true, rid: "q" },
      { active: false, rid: "f" },
    ]);
  });

  it("[M5] is given back to encodings that a negotiation brings or leaves", async () => {
    const late = new Steered();
    await late.obey({ bps: 300_000 });
    late.sender.negotiate({ active: true });
    expect(await late.obey({ bps: 300_000 })).toEqual([{ active: true, maxBitrate: 300_000 }]);
    expect(await late.obey({ bps: 200_000 })).toEqual([{ active: true, maxBitrate: 200_000 }]);
    expect(await late.obey({})).toEqual([{ active: true }]);
  });
});

it("[M13] a limit that no browser takes is the least that all of them take, which is told; layers share it", async () => {
  const steered = new Steered({ active: true });
  expect(await steered.obey({ bps: 0 })).toEqual([{ active: true, maxBitrate: 6_000 }]);
  expect(steered.told).toMatchObject([
    { maxBitrateBps: 6_000, problem: { code: "not-supported" } },
  ]);
  const layered = new Steered({ active: true, scaleResolutionDownBy: 2 }, { active: true });
  expect((await layered.obey({ bps: 10_000 })).map(({ maxBitrate }) => maxBitrate)).toEqual([
    2_000, 8_000,
  ]);
  const [limits, sender] = [new SenderLimits(), new Sender({ active: true })];
  await limits.set(sender as unknown as RTCRtpSender, 0);
  expect(sender.encodings).toEqual([{ active: true, maxBitrate: 6_000 }]);
});

describe("what an application sets of a sender of SWAP", () => {
  const limit = (limits: SenderLimits, sender: Sender, bps?: number): Promise<void> =>
    limits.set(sender as unknown as RTCRtpSender, bps);

  it("[M13] while it is limited is its own: a lower rate stays, a higher one comes back", async () => {
    const [limits, sender] = [new SenderLimits(), new Sender({ active: true }, { active: true })];
    await limit(limits, sender, 400_000);
    await sender.choose({ maxBitrate: 50_000 }, { maxBitrate: 900_000 });
    await limit(limits, sender, 600_000);
    expect(sender.encodings.map(({ maxBitrate }) => maxBitrate)).toEqual([50_000, 300_000]);
    await limit(limits, sender);
    expect(sender.encodings.map(({ maxBitrate }) => maxBitrate)).toEqual([50_000, 900_000]);
  });
});
