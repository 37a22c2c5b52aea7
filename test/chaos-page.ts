import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { Transport } from "../protocol/transport.ts";
import { Connection, type Settings, type Track } from "./chaos-connection.ts";
import type { MediaKind } from "./chaos-sdp.ts";
import type { World } from "./chaos-world.ts";

/** A page that uses the SDK as an application does, and remembers what it was told. */

/** What of the SDK's session is used here; its own types need a browser's. */
export interface SdkSession {
  readonly peer: { readonly id: string };
  readonly peers: ReadonlyMap<string, unknown>;
  readonly state: string;
  readonly flows: readonly FlowSummary[];
  readonly transports: readonly Transport[];
  on(type: string, listener: (event: never) => void): () => void;
  publish(track: Track, ...streams: { id: string }[]): { unpublish(): void };
  send(peer: string, body: unknown): Promise<void>;
  connection(peer: string): Connection | undefined;
  restartIce(peer?: string): void;
  reconnectNow(): void;
  leave(): void;
}

interface Sdk {
  join(options: object): Promise<SdkSession>;
}

/** With what the SDK loads later: the time of these runs does not wait for files. */
const [sdk] = Object.values(
  import.meta.glob(["../client/duplex.ts", "../client/flow-duties.ts"], {
    eager: true,
  }) as Record<string, Sdk>,
);

/** A MediaStream, of which only the id is read. */
export class Stream {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

/** An application message on its way. */
export interface Sent {
  readonly n: number;
  readonly to: string;
  state: "waiting" | "taken" | "refused";
}

/** Who a page is for: the token stays when the page goes. */
export interface Member {
  readonly name: string;
  readonly id: string;
  readonly token: string;
  /** How often it has left of its own will. */
  leaves: number;
  /** What its pages were sent, in the order of their arrival: `sender n`. */
  readonly heard: { readonly from: string; readonly n: number; readonly page: string }[];
  readonly sent: Sent[];
}

export class Page {
  readonly name: string;
  readonly member: Member;
  readonly world: World;
  /** Each second one that is opened is told of flows briefly. */
  readonly isBrief: boolean;
  isDead = false;
  hasLeft = false;
  session: SdkSession | undefined;
  readonly publications = new Set<{ unpublish(): void }>();
  readonly told: { readonly type: string; readonly peer: string; readonly reason?: string }[] = [];
  readonly problems: string[] = [];
  atJoin: () => void = () => undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(world: World, member: Member, name: string) {
    this.world = world;
    this.member = member;
    this.name = name;
    this.isBrief = /[02468]$/.test(name);
  }

  join(path: string, network: Connection[], stack: Settings["stack"]): void {
    const { world, member } = this;
    let made = 0;
    const makes = () => {
      made += 1;
      return new Connection({ world, name: `${this.name}.pc${made}`, stack, network });
    };
    sdk
      ?.join({
        url: `https://duplex.test${path}/signalling?page=${this.name}`,
        token: member.token,
        flowReports: false,
        flowRecords: this.isBrief ? "brief" : "full",
        // How the stand-in learns whose connection it is.
        rtcConfiguration: { makes },
      })
      .then(
        (session) => this.#joined(session),
        (thrown: { code?: string }) => {
          if (!this.isDead && !this.hasLeft)
            world.wrong(`${this.name} could not join: ${thrown.code ?? thrown}`);
        },
      );
  }

  #joined(session: SdkSession): void {
    if (this.isDead || this.hasLeft) {
      session.leave();
      return;
    }
    this.session = session;
    this.world.note(`${this.name} joined`);
    const on = (type: string, listener: (event: Record<string, unknown>) => void) =>
      session.on(type, listener as (event: never) => void);
    const idOf = (peer: unknown): string =>
      typeof peer === "string" ? peer : String((peer as { id?: string }).id);
    for (const type of ["peer-joined", "peer-left"]) {
      on(type, ({ peer, reason }) => {
        if (this.isDead || this.hasLeft) return;
        this.told.push({ type, peer: idOf(peer), ...(reason ? { reason: String(reason) } : {}) });
        this.world.note(`${this.name} told ${type} ${idOf(peer)} ${reason ?? ""}`);
      });
    }
    on("message", ({ peer, body }) => {
      const { n } = body as { n: number };
      this.member.heard.push({ from: String(peer), n, page: this.name });
    });
    on("problem", ({ error }) => {
      const { code, detail } = error as { code: string; detail: string };
      if (this.isDead) return;
      this.problems.push(code);
      this.world.note(`${this.name} problem ${code}: ${detail}`);
    });
    this.atJoin();
    on("closed", (closed) => {
      this.closed = closed as never;
      if (!this.isDead && !this.hasLeft)
        this.world.wrong(`${this.name} closed: ${JSON.stringify(closed)}`);
    });
  }

  publish(kind: MediaKind): void {
    const { random } = this.world;
    const track = { id: random.text(8), kind };
    const publication = this.session?.publish(track, new Stream(random.text(8)));
    if (publication) this.publications.add(publication);
  }

  unpublish(): void {
    const [publication] = this.publications;
    if (!publication) return;
    this.publications.delete(publication);
    publication.unpublish();
  }

  send(to: string): void {
    const { sent } = this.member;
    const one: Sent = { n: sent.length + 1, to, state: "waiting" };
    sent.push(one);
    this.session?.send(to, { n: one.n }).then(
      () => {
        one.state = "taken";
      },
      () => {
        one.state = "refused";
      },
    );
  }

  /** The page is gone without a word. */
  die(): void {
    this.isDead = true;
    // Stops its timers; nothing of it reaches the network any more.
    this.session?.leave();
    this.session = undefined;
  }

  /** The application leaves: what is on its way still goes. */
  leave(): void {
    this.member.leaves += 1;
    this.hasLeft = true;
    this.session?.leave();
    this.session = undefined;
  }
}
