import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Flow } from "../protocol/flow.ts";
import type { Candidate } from "../protocol/message-parts.ts";
import { type Invitation, LoadPeer } from "./load-peer.ts";
import { connectedReport } from "./transport-report.ts";

/** One call from its session to its end, each step checked, with descriptions and candidates of Chromium. */

interface CorpusRecord {
  readonly offer: string;
  readonly answer: string;
}

const recordOf = (name: string): CorpusRecord =>
  JSON.parse(
    readFileSync(
      fileURLToPath(new URL(`../test/fixtures/sdp-corpus/${name}.json`, import.meta.url)),
      "utf8",
    ),
  ) as CorpusRecord;

const TRICKLED = recordOf("chromium.trickle-no-candidates");
const GATHERED = recordOf("chromium.connected-host-candidates");

/** How long it runs before the first is put on hold. */
const CONVERSATION_MS = 2_000;

/** Host candidates, a call has two or three per end. */
const CANDIDATES = (GATHERED.offer.match(/candidate:\S+ 1 udp.*/gi) ?? []).slice(0, 3);

/** What is each peer's own: credentials of ICE and the CNAME. */
interface Own {
  readonly ufrag: string;
  readonly pwd: string;
  readonly cname: string;
}

const own = (): Own => ({
  ufrag: randomBytes(3).toString("base64").replaceAll("=", ""),
  pwd: randomBytes(18).toString("base64"),
  cname: randomBytes(12).toString("base64"),
});

const withOwn = (sdp: string, { ufrag, pwd, cname }: Own): string =>
  sdp
    .replaceAll(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`)
    .replaceAll(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`)
    .replaceAll(/cname:\S+/g, `cname:${cname}`);

/** The next description of the same peer: its version has grown (RFC 3264 s8). */
const held = (sdp: string, direction: "sendonly" | "recvonly"): string =>
  sdp
    .replace(/^(o=- \d+) (\d+)/m, (_line, origin, version) => `${origin} ${Number(version) + 1}`)
    .replaceAll("a=sendrecv", `a=${direction}`);

const candidatesOf = ({ ufrag }: Own): Candidate[] =>
  CANDIDATES.map((line) => ({
    candidate: line.replace("generation 0", `generation 0 ufrag ${ufrag}`),
    sdpMid: "0",
    sdpMLineIndex: 0,
    usernameFragment: ufrag,
  }));

/** The back end of an application, with one key. */
export class LoadBackend {
  readonly #baseUrl: string;
  readonly #headers: Record<string, string>;

  constructor(baseUrl: string, key: string) {
    this.#baseUrl = baseUrl;
    this.#headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  }

  async call<T>(method: string, path: string, status: number, body?: object): Promise<T> {
    const response = await fetch(new URL(path, this.#baseUrl), {
      method,
      headers: this.#headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== status) throw new Error(`${method}: ${response.status}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  async session(config: object): Promise<string> {
    return (await this.call<{ id: string }>("POST", "v1/sessions", 201, config)).id;
  }

  async join(session: string): Promise<LoadPeer> {
    const path = `v1/sessions/${session}/peers`;
    return LoadPeer.join(await this.call<Invitation>("POST", path, 201, {}));
  }
}

function expectSame(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${what} is not what it should be`);
}

async function negotiate(
  offerer: LoadPeer,
  answerer: LoadPeer,
  offer: string,
  answer: string,
): Promise<number> {
  const [ack, offered] = await Promise.all([
    offerer.request({ type: "offer", to: answerer.id, sdp: offer }),
    answerer.next("offer"),
  ]);
  const { exchange = 0 } = ack;
  expectSame("the offer", offered.sdp, offer);
  expectSame("its number", offered.exchange, exchange);
  const [, answered] = await Promise.all([
    answerer.request({ type: "answer", to: offerer.id, exchange, sdp: answer }),
    offerer.next("answer"),
  ]);
  expectSame("the answer", answered.sdp, answer);
  return exchange;
}

async function trickle(from: LoadPeer, to: LoadPeer, exchange: number, of: Own): Promise<void> {
  const candidates = candidatesOf(of);
  const message = { type: "candidates", to: to.id, exchange, candidates, complete: true } as const;
  const [, got] = await Promise.all([from.request(message), to.next("candidates")]);
  expectSame("the candidates", JSON.stringify(got.candidates), JSON.stringify(candidates));
}

const connected = (one: LoadPeer, other: LoadPeer, port: number) =>
  one.request(connectedReport(other.id, port));

async function expectFlows(backend: LoadBackend, session: string, state: string, count: number) {
  const { flows } = await backend.call<{ flows: Flow[] }>(
    "GET",
    `v1/sessions/${session}/flows`,
    200,
  );
  expectSame(`${state} flows`, flows.filter((flow) => flow.state === state).length, count);
}

/** Gives how long the set-up took in milliseconds, from the session to both ends connected. */
export async function makeCall(backend: LoadBackend): Promise<number> {
  const began = performance.now();
  const session = await backend.session({ emptyTtlSeconds: 60 });
  const [one, other] = await Promise.all([backend.join(session), backend.join(session)]);
  try {
    const [ofOne, ofOther] = [own(), own()];
    const [offer, answer] = [withOwn(TRICKLED.offer, ofOne), withOwn(TRICKLED.answer, ofOther)];
    const exchange = await negotiate(one, other, offer, answer);
    await Promise.all([
      trickle(one, other, exchange, ofOne),
      trickle(other, one, exchange, ofOther),
    ]);
    await Promise.all([connected(one, other, 50_001), connected(other, one, 49_998)]);
    const setUpMs = performance.now() - began;
    await expectFlows(backend, session, "active", 4);
    await new Promise((resolve) => setTimeout(resolve, CONVERSATION_MS));
    await negotiate(one, other, held(offer, "sendonly"), held(answer, "recvonly"));
    await expectFlows(backend, session, "active", 2);
    await one.request({ type: "leave" });
    const { peer, reason } = await other.next("peer-left");
    expectSame("who left", `${peer} ${reason}`, `${one.id} left`);
    await backend.call("DELETE", `v1/sessions/${session}`, 204);
    expectSame("the close code", await other.ended(), 4000);
    await backend.call("GET", `v1/sessions/${session}`, 404);
    return setUpMs;
  } finally {
    one.close();
    other.close();
  }
}
