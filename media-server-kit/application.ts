import type { Flow } from "../protocol/flow.ts";
import type { IceServer } from "../protocol/ice-server.ts";

/** What `POST /v1/sessions/{id}/peers` answers: a media server is invited with it. */
export interface Invitation {
  readonly peer: { readonly id: string };
  readonly token: string;
  readonly signalling: { readonly url: string };
  readonly iceServers: readonly IceServer[];
}

/** What the Duplex server refused, or did not do: the kit cannot go on. */
export class ServerTrouble extends Error {}

/** The back end of an application: it makes central sessions with an API key. */
export class Application {
  readonly baseUrl: string;
  readonly #key: string;

  constructor(baseUrl: string, key: string) {
    this.baseUrl = baseUrl;
    this.#key = key;
  }

  async begin(): Promise<CentralSession> {
    const { id } = await this.call<{ id: string }>("POST", "v1/sessions", { topology: "central" });
    return new CentralSession(this, id);
  }

  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const url = new URL(path, this.baseUrl);
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((fault: unknown) => {
      throw new ServerTrouble(`${method} ${url}: ${reasonOf(fault)}`);
    });
    const text = await response.text();
    if (!response.ok) throw new ServerTrouble(`${method} ${url}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

/** fetch hides in `cause` what the network said. */
export function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const { cause } = fault;
  if (!(cause instanceof Error)) return fault.message;
  return cause.message === "" && "code" in cause ? String(cause.code) : cause.message;
}

export class CentralSession {
  readonly id: string;
  readonly #application: Application;

  constructor(application: Application, id: string) {
    this.#application = application;
    this.id = id;
  }

  /** Address of one of its resources. */
  url(path: string): string {
    return new URL(`v1/sessions/${this.id}${path}`, this.#application.baseUrl).href;
  }

  invite(request: object = {}): Promise<Invitation> {
    return this.#call("POST", "/peers", request);
  }

  async flows(): Promise<readonly Flow[]> {
    return (await this.#call<{ flows: Flow[] }>("GET", "/flows")).flows;
  }

  /** What one peer sends to another now, of one kind. */
  async live(fits: (flow: Flow) => boolean): Promise<readonly Flow[]> {
    const flows = await this.flows();
    return flows.filter((flow) => flow.state !== "ended" && fits(flow));
  }

  steer(flow: string, change: object): Promise<Flow> {
    return this.#call("PATCH", `/flows/${encodeURIComponent(flow)}`, change);
  }

  end(): Promise<void> {
    return this.#call("DELETE", "");
  }

  #call<T>(method: string, path: string, body?: object): Promise<T> {
    return this.#application.call(method, `v1/sessions/${this.id}${path}`, body);
  }
}
