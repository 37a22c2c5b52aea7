import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LogEntry } from "../../network-mock/log.ts";
import { AssistedPlace } from "./assisted-call.ts";
import { type Backend, type Caller, type CallerOptions, until } from "./caller.ts";

/** Calls of real browsers over a real TURN server, and what a mobile network was asked for them. */

let place: AssistedPlace;

beforeAll(async () => {
  place = await AssistedPlace.open();
}, 120_000);

afterAll(async () => {
  expect(await place.close()).toEqual([]);
});

afterEach(() => {
  expect(place.mock.defects).toEqual([]);
  place.mock.reset();
});

/** What the network was asked, by its own log. */
const asked = (operation: string): readonly LogEntry[] =>
  place.mock.log.filter((entry) => entry.way === "in" && entry.operation === operation);

const answerOf = (entry: LogEntry | undefined) => entry?.answer as Record<string, unknown>;

interface Call {
  readonly backend: Backend;
  readonly alice: Caller;
  readonly bob: Caller;
}

async function called(
  network: string,
  options: CallerOptions = {},
  other: CallerOptions = { relay: true },
): Promise<Call> {
  const backend = await place.session();
  const alice = await place.join(backend, network, options);
  const bob = await place.join(backend, undefined, other);
  await Promise.all([alice.receives(bob.id), bob.receives(alice.id)]);
  return { backend, alice, bob };
}

async function over({ backend, alice, bob }: Call): Promise<void> {
  await Promise.all([alice.close(), bob.close()]);
  await place.end(backend);
  await until("nothing is left in the network", () => place.mock.resources().length === 0);
}

/** The local end of the selected pair, as the browser has it. */
const localEnd = async (caller: Caller, other: Caller) => (await caller.stats(other.id)).pair?.local;

const created = (): LogEntry => {
  const [one, ...others] = asked("createSession").filter(({ status }) => status === 201);
  expect(others).toEqual([]);
  if (!one) throw new Error("nothing was created");
  return one;
};

describe("a relayed call in a network with quality on demand", () => {
  it("[M13] of two that may only relay: the session is for the TURN server and its port, and is gone at the end", async () => {
    const call = await called("phones", { relay: true });
    const [request] = await place.settled(call.backend, "granted");
    expect(created().body).toMatchObject({
      device: { phoneNumber: "+15550100123" },
      applicationServer: { ipv4Address: "127.0.0.1" },
      applicationServerPorts: { ports: [place.turn.port] },
      qosProfile: "QOS_L",
      duration: 600,
    });
    expect(place.turn.log()).toContain(`local 127.0.0.1:${place.turn.port}`);
    expect(request?.resource).toBe(answerOf(created()).sessionId);
    const { flows } = await call.backend.flows();
    expect(flows).toHaveLength(4);
    for (const { assistance } of flows) {
      expect(Object.keys(assistance ?? {})).toEqual([call.alice.id]);
      expect(assistance?.[call.alice.id]).toMatchObject({
        network: "phones",
        state: "granted",
        granted: { profile: "QOS_L", until: expect.any(Number) },
      });
    }
    // The network said so by itself, at the address that it was given, with the token.
    const told = place.mock.log.filter(({ way, status }) => way === "out" && status === 204);
    expect(told.length).toBeGreaterThan(0);
    await over(call);
    expect(asked("deleteSession").map(({ status }) => status)).toEqual([204]);
  });

  it("[M13] of one that relays: addresses and ports of the session are those that the browsers use", async () => {
    const call = await called("qod");
    await place.settled(call.backend, "granted");
    const own = await localEnd(call.alice, call.bob);
    const relay = await localEnd(call.bob, call.alice);
    expect(relay?.candidateType).toBe("relay");
    expect(created().body).toMatchObject({
      device: { ipv4Address: { publicAddress: own?.address, publicPort: own?.port } },
      applicationServer: { ipv4Address: relay?.address },
      applicationServerPorts: { ports: [relay?.port] },
      devicePorts: { ports: [own?.port] },
    });
    await over(call);
  });
});
