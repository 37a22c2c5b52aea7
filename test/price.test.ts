import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, type TestContext, vi } from "vitest";
import { type Bill, NOTHING, objectRequestsOf } from "./bill.ts";
import { LiveSession, MODES, type Mode } from "./live-session.ts";
import { Meter } from "./meter.ts";
import { StandInNetwork } from "./network-stand-in.ts";
import {
  callOfTwo,
  callOfTwoDeleted,
  centralOfTwenty,
  connectedTwo,
  idleHour,
  meshOfFive,
  type Stored,
} from "./price-calls.ts";

/**
 * What calls cost at the platform: counts, no times. A change that writes more rows fails here. What is counted goes to
 * the report of the run: `npm run bench -- price` puts prices on it.
 */

const variables = env as unknown as Record<string, unknown>;
const { CNAME_WINDOW_DAYS } = variables;

let meter: Meter;

beforeEach(async () => {
  // As deployments are: CNAMEs are remembered without rows.
  delete variables.CNAME_WINDOW_DAYS;
  meter = await Meter.start(await LiveSession.start("awake"));
});

afterEach(async () => {
  meter.stop();
  variables.CNAME_WINDOW_DAYS = CNAME_WINDOW_DAYS;
  vi.useRealTimers();
  await reset();
});

/** What the call costs, what it stores, and how long its object would be awake if each event kept it so for ten seconds. */
async function priceOf(
  { task }: TestContext,
  scene: string,
  play: () => Promise<Stored | undefined>,
): Promise<Bill> {
  const began = { at: Date.now() + 1, awakeMs: meter.awakeMs };
  let stored: Stored | undefined;
  const bill = await meter.of(async () => {
    stored = await play();
  });
  const awakeMs = meter.awakeMs - began.awakeMs;
  const lingering = meter.secondsSince(began.at, 10);
  Object.assign(task.meta, { price: { scene, bill, stored, awakeMs, lingering } });
  return bill;
}

describe.each(MODES)("%s", (mode: Mode) => {
  it("[M20] a call of two for ten minutes writes seven rows, and one when it is erased", async (context) => {
    const bill = await priceOf(context, `two ${mode}`, () => callOfTwo(mode));
    expect(bill.rowsWritten).toBeLessThanOrEqual(7 + 1);
    if (mode === "awake") expect(bill.rowsRead).toBeLessThanOrEqual(8);
    // The session, two upgrades, and whether others had the CNAMEs of either description.
    expect(bill.calls).toBe(5);
    expect(bill.alarms).toBe(2);
    // Offer, answer, candidates and paths, forty reports, two leaves.
    expect(bill.frames).toBe(2 + 4 + 4 + 40 + 2);
    expect(bill.workerRequests).toBe(3);
  });

  it("[M20] a call that the application ends writes no row but that of its erasure", async (context) => {
    const bill = await priceOf(context, `two-deleted ${mode}`, () => callOfTwoDeleted(mode));
    expect(bill.rowsWritten).toBeLessThanOrEqual(5 + 1);
    expect(bill.alarms).toBe(1);
  });
});

it("[M20] a mobile network that is asked for a call of two adds rows for what it is asked and says", async (context) => {
  const network = new StandInNetwork();
  network.configure();
  network.grants = true;
  const guest = { network: "qod", phoneNumber: "+15550100123" };
  const bill = await priceOf(context, "assisted", () => callOfTwo("awake", guest));
  StandInNetwork.forget();
  expect(network.asked).toEqual(["POST /qod/sessions", "DELETE /qod/sessions/{id}"]);
  // Each call is written before it is made and when it is answered, what flows say of it with the session.
  expect(bill.rowsWritten).toBeLessThanOrEqual(8 + 8);
  expect(bill.alarms).toBe(2);
});

it("[M20] a mesh of five in a mobile network is asked once for each end of a link, and eight rows are written for that", async (context) => {
  const network = new StandInNetwork();
  network.configure();
  const play = () => meshOfFive("awake", { network: "nef" });
  const bill = await priceOf(context, "assisted-mesh", play);
  StandInNetwork.forget();
  expect(network.asked.filter((each) => each.startsWith("POST"))).toHaveLength(20);
  expect(network.resources.size).toBe(0);
  expect(bill.rowsWritten).toBeLessThanOrEqual(83 + 20 * 8 + 2);
  expect(bill.alarms).toBe(2);
});

it("[R5] an idle hour of connected peers writes nothing, and nothing runs", async (context) => {
  const peers = await connectedTwo("awake");
  const bill = await priceOf(context, "idle", () => idleHour(peers).then(() => undefined));
  expect(bill).toEqual(NOTHING);
});

it("[M20] a mesh of five writes a row for each join, offer, answer, path and leave, and little more", async (context) => {
  const bill = await priceOf(context, "mesh", () => meshOfFive("awake"));
  expect(bill.rowsWritten).toBeLessThanOrEqual(83);
  expect(bill.rowsRead).toBeLessThanOrEqual(70);
  expect(bill.alarms).toBe(2);
  expect(bill.calls).toBe(1 + 5 + 20);
});

it("[M20] a central session writes a row for each offer and each answer, however many there were", async (context) => {
  const bill = await priceOf(context, "central", () => centralOfTwenty("awake"));
  // Each link: an offer and an answer, and as many for each renegotiation; four paths, and the peer comes and goes.
  // And an alarm: the media server is told of 800 contexts before it has said anything, and is asked whether it reads.
  // Renegotiations come minutes apart: the offers of each have an alarm of their own, but for those of the first minutes.
  expect(bill.rowsWritten).toBeLessThanOrEqual(20 * (2 + 10 * 2 + 4 + 3) + 7 + 8);
  expect(bill.rowsRead).toBeLessThanOrEqual(560);
  expect(bill.alarms).toBe(2);
  // The session, a socket for each, and the CNAMEs of twenty answers: a media server may keep its own.
  expect(bill.calls).toBe(1 + 21 + 20);
  expect(objectRequestsOf(bill)).toBeLessThanOrEqual(192);
});
