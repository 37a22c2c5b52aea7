import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { type NetworkMock, startNetworkMock } from "../../network-mock/mock.ts";
import { DEFAULT_PROFILES } from "../../network-mock/profiles.ts";
import type { AssistanceRequest } from "../../protocol/assistance/records.ts";
import { type Browser, launchChromium, launchFirefox } from "./browsers.ts";
import { Backend, Caller, type CallerOptions, until } from "./caller.ts";
import { startCoturn, type TurnServer } from "./coturn.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** A server, a mobile network and a TURN server that know each other, for calls of real browsers. */

const SECRET = "a secret of the relays of tests";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

const REALM = { clientId: "duplex", clientSecret: "network-mock" };

/** Networks of the configuration, each with its API at this mock. */
export const networksAt = (url: string) => {
  const auth = { ...REALM, tokenUrl: `${url}/oauth2/token` };
  const withoutQos = { uplinkBps: 250_000, downlinkBps: 250_000 };
  return {
    qod: {
      name: "qod",
      api: "camara-qod",
      url: `${url}/quality-on-demand/v1`,
      auth,
      withoutQos,
      defaults: { audioBps: 64_000, videoBps: 1_500_000 },
      qod: { durationSeconds: 600, profile: "QOS_L" },
    },
    phones: {
      name: "phones",
      api: "camara-qod",
      url: `${url}/quality-on-demand/v1`,
      auth,
      withoutQos,
      qod: { durationSeconds: 600, profile: "QOS_L", device: "phone-number" },
    },
    /** Which profile a session has is for its rates to say. */
    tiers: {
      name: "tiers",
      api: "camara-qod",
      url: `${url}/quality-on-demand/v1`,
      auth,
      defaults: { audioBps: 64_000, videoBps: 1_500_000 },
      qod: { durationSeconds: 600, profiles: DEFAULT_PROFILES, device: "phone-number" },
    },
    brief: {
      name: "brief",
      api: "camara-qod",
      url: `${url}/quality-on-demand/v1`,
      auth,
      qod: { durationSeconds: 10, profile: "QOS_L", device: "phone-number" },
    },
    nef: {
      name: "nef",
      api: "nef",
      url: `${url}/3gpp-as-session-with-qos/v1`,
      auth,
      withoutQos,
      nef: { scsAsId: "duplex", qosReference: "conv-video", altQosReferences: ["conv-video-half"] },
    },
    af: {
      name: "af",
      api: "rtc-af",
      url: `${url}/3gpp-maf-session-handling/v1`,
      auth,
      withoutQos,
      rtcAf: { provisioningSession: "duplex", policyTemplateId: "conv-video" },
    },
  };
};

export class AssistedPlace {
  readonly mock: NetworkMock;
  readonly turn: TurnServer;
  readonly server: Server;
  readonly browser: Browser;
  readonly #state: string;
  #firefox: Promise<Browser> | undefined;

  private constructor(
    mock: NetworkMock,
    turn: TurnServer,
    server: Server,
    browser: Browser,
    state: string,
  ) {
    this.mock = mock;
    this.turn = turn;
    this.server = server;
    this.browser = browser;
    this.#state = state;
  }

  static async open(): Promise<AssistedPlace> {
    const mock = await startNetworkMock({
      grant: { mode: "later", delayMs: 200 },
      boostMs: 20_000,
    });
    const turn = await startCoturn([SECRET]);
    const state = temporaryFolder("assistance");
    const port = await freePort();
    const server = await startServer({
      file: process.execPath,
      args: [fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url))],
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: {
        DUPLEX_STATE: state,
        PORT: String(port),
        TURN_URLS: turn.urls.join(","),
        TURN_SECRETS: SECRET,
        ASSISTANCE_NETWORKS: JSON.stringify(Object.values(networksAt(mock.url))),
        ASSISTANCE_NOTIFY_URL: `http://127.0.0.1:${port}`,
      },
      readyLimitMs: 90_000,
    });
    return new AssistedPlace(mock, turn, server, await launchChromium(), state);
  }

  async close(): Promise<unknown[]> {
    await Promise.all([this.browser.close(), this.#firefox?.then((browser) => browser.close())]);
    const left = await this.server.stop();
    await this.mock.close();
    const relays = await this.turn.stop();
    rmSync(this.#state, { recursive: true, force: true });
    return [...left, ...relays];
  }

  /** Started for the first test that wants it. */
  firefox(): Promise<Browser> {
    this.#firefox ??= launchFirefox();
    return this.#firefox;
  }

  session(config: object = {}): Promise<Backend> {
    return Backend.start(this.server.baseUrl, config);
  }

  /** A page whose peer is in this network, or in none. */
  async join(
    backend: Backend,
    network: string | undefined,
    options: CallerOptions = {},
    browser: Browser = this.browser,
  ): Promise<Caller> {
    const isKnownByNumber = ["phones", "tiers", "brief"].includes(network ?? "");
    const phone = isKnownByNumber ? { phoneNumber: "+15550100123" } : {};
    const invitation = await backend.invite(network === undefined ? {} : { network, ...phone });
    return Caller.join(browser, backend, { invitation, ...options });
  }

  async requests(backend: Backend): Promise<readonly AssistanceRequest[]> {
    return (await backend.read<{ requests: AssistanceRequest[] }>("/assistance")).requests;
  }

  /** Waits until every request of the session is in this state. */
  async settled(backend: Backend, state: AssistanceRequest["record"]["state"], count = 1) {
    let seen: readonly AssistanceRequest[] = [];
    await until(
      `${count} requests that are ${state}`,
      async () => {
        seen = (await this.requests(backend)).filter(({ links }) => links.length > 0);
        return seen.length === count && seen.every(({ record }) => record.state === state);
      },
      90_000,
    ).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}: ${JSON.stringify(seen)}`);
    });
    return seen;
  }

  /** Asks for a delivery boost, as the peer itself. */
  async boost(backend: Backend, { id, token }: Caller): Promise<unknown> {
    const path = `v1/sessions/${backend.id}/peers/${id}/boost`;
    const answer = await fetch(new URL(path, this.server.baseUrl), {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    return answer.json();
  }

  async end(backend: Backend): Promise<void> {
    await fetch(new URL(`v1/sessions/${backend.id}`, this.server.baseUrl), {
      method: "DELETE",
      headers: { authorization: "Bearer dev-key" },
    });
  }
}
