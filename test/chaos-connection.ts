import {
  type Direction,
  type Identity,
  type MediaKind,
  mediaOf,
  read,
  type Section,
  type Stack,
  type Writing,
  withCandidates,
  withoutCandidates,
  write,
} from "./chaos-sdp.ts";
import type { Lane, World } from "./chaos-world.ts";

/**
 * An RTCPeerConnection that speaks to nobody: the states, the descriptions and the errors of RFC 9429 and W3C
 * webrtc-pc, with real SDP. It is connected when the other side's one has the same keys and candidates.
 */

export interface Track {
  readonly id: string;
  readonly kind: MediaKind;
}

interface Description {
  readonly type: "offer" | "answer";
  /** As it was set. */
  readonly sdp: string;
  readonly sections: readonly Section[];
}

interface CandidateInit {
  readonly candidate: string;
  readonly sdpMid?: string | null;
  readonly sdpMLineIndex?: number | null;
  readonly usernameFragment?: string | null;
}

const error = (name: string, message: string): DOMException => new DOMException(message, name);

function event(type: string, members: object = {}): Event {
  return Object.assign(new Event(type), members);
}

const sends = (direction: Direction): boolean =>
  direction === "sendrecv" || direction === "sendonly";
const receives = (direction: Direction): boolean =>
  direction === "sendrecv" || direction === "recvonly";

function directionOf(send: boolean, receive: boolean): Direction {
  if (send) return receive ? "sendrecv" : "sendonly";
  return receive ? "recvonly" : "inactive";
}

const turned = (direction: Direction): Direction =>
  directionOf(receives(direction), sends(direction));

const both = (one: Direction, other: Direction): Direction =>
  directionOf(sends(one) && sends(other), receives(one) && receives(other));

class Transport extends EventTarget {
  state = "new";
  readonly iceTransport = Object.assign(new EventTarget(), { state: "new" });
}

class Sender {
  track: Track | null;
  streams: string[];
  readonly #owner: Connection;

  constructor(owner: Connection, track: Track | null, streams: readonly { id: string }[]) {
    this.#owner = owner;
    this.track = track;
    this.streams = streams.map(({ id }) => id);
  }

  get transport(): Transport | null {
    return this.#owner.currentLocalDescription === null ? null : this.#owner.transport;
  }

  setStreams(...streams: { id: string }[]): void {
    this.streams = streams.map(({ id }) => id);
    this.#owner.negotiationMayBeNeeded();
  }

  async replaceTrack(track: Track | null): Promise<void> {
    this.track = track;
  }

  getParameters(): { encodings: object[] } {
    return { encodings: [{ active: true }] };
  }

  async setParameters(): Promise<void> {
    // Nothing is sent.
  }
}

class Transceiver {
  mid: string | null = null;
  index: number | null = null;
  currentDirection: Direction | "stopped" | null = null;
  stopping = false;
  stopped = false;
  byAddTrack: boolean;
  /** Made by the remote offer that is pending. */
  byRemoteOffer = false;
  /** What the remote side was last seen to send. */
  remoteSends = false;
  readonly kind: MediaKind;
  readonly sender: Sender;
  readonly receiver: { readonly track: Track };
  readonly sources: readonly number[];
  readonly #owner: Connection;
  #direction: Direction;

  constructor(owner: Connection, kind: MediaKind, direction: Direction, sender: Sender) {
    const { random } = owner.world;
    this.#owner = owner;
    this.kind = kind;
    this.#direction = direction;
    this.sender = sender;
    this.byAddTrack = false;
    this.receiver = { track: { id: random.text(12), kind } };
    this.sources = (kind === "video" ? [1, 2] : [1]).map(() => 1 + random.below(0xfffffff0));
  }

  get direction(): Direction | "stopped" {
    return this.stopping || this.stopped ? "stopped" : this.#direction;
  }

  /** Without what is about to stop. */
  get wanted(): Direction {
    return this.#direction;
  }

  set direction(direction: Direction) {
    if (this.#direction === direction) return;
    this.#direction = direction;
    this.#owner.negotiationMayBeNeeded();
  }

  stop(): void {
    if (this.stopping || this.stopped) return;
    this.stopping = true;
    this.#owner.negotiationMayBeNeeded();
  }

  get streams(): string[] {
    const { streams } = this.sender;
    const id = `${this.sources[0]}`;
    return (streams.length > 0 ? streams : ["-"]).map((stream) => `${stream} ${id}`);
  }
}

interface Known {
  readonly transceiver: Transceiver;
  readonly mid: string | null;
  readonly index: number | null;
}

export interface Settings {
  readonly world: World;
  readonly name: string;
  readonly stack: Stack;
  /** All connections of the run: the network, as it were. */
  readonly network: Connection[];
}

export class Connection extends EventTarget {
  readonly world: World;
  readonly name: string;
  readonly lane: Lane;
  readonly identity: Identity;
  readonly transport = new Transport();
  readonly #network: Connection[];
  signalingState: "stable" | "have-local-offer" | "have-remote-offer" | "closed" = "stable";
  connectionState: "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed" =
    "new";
  iceConnectionState = "new";
  readonly sctp = null;
  #current: { local: Description | null; remote: Description | null } = {
    local: null,
    remote: null,
  };
  #pending: { local: Description | null; remote: Description | null } = {
    local: null,
    remote: null,
  };
  #before: Known[] = [];
  #transceivers: Transceiver[] = [];
  #operations: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #needed = false;
  /** The question is in the lane already. */
  #isAsking = false;
  #turning: Connection["connectionState"] | undefined;
  #restart = false;
  #keys: { ufrag: string; pwd: string } | undefined;
  #dtls: "active" | "passive" | undefined;
  #version = 1;
  #nextMid = 0;
  /** Candidates of this side by ufrag, in the order they were told. */
  readonly gathered = new Map<string, CandidateInit[]>();
  readonly gatheredAll = new Set<string>();
  /** Candidates of the other side by its ufrag, each time they were added. */
  readonly added = new Map<string, CandidateInit[]>();
  readonly ended = new Set<string>();
  /** Descriptions of the other side that were put in force or pending, by their text. */
  readonly remoteSet: string[] = [];
  /** The path of these keys carries nothing any more. */
  readonly broken = new Set<string>();

  constructor({ world, name, stack, network }: Settings) {
    super();
    this.world = world;
    this.name = name;
    this.lane = world.lane(name);
    this.#network = network;
    const { random } = world;
    const octets = Array.from({ length: 32 }, () => random.below(256).toString(16));
    this.identity = {
      stack,
      sessionId: `${1e15 + random.below(1e15)}`,
      fingerprint: octets.map((octet) => octet.padStart(2, "0").toUpperCase()).join(":"),
      cname: random.text(16),
    };
    network.push(this);
  }

  // --- what the SDK reads -------------------------------------------------------------------------------

  get currentLocalDescription() {
    return this.#shown(this.#current.local);
  }
  get currentRemoteDescription() {
    return this.#current.remote;
  }
  get localDescription() {
    return this.#shown(this.#pending.local ?? this.#current.local);
  }
  get remoteDescription() {
    return this.#pending.remote ?? this.#current.remote;
  }

  /** What was set as local description, before candidates were gathered. */
  get localText(): string | undefined {
    return this.#current.local?.sdp;
  }

  getTransceivers(): Transceiver[] {
    return this.#transceivers.filter(({ stopped }) => !stopped);
  }

  get ufrag(): string {
    return this.#current.local?.sections.find(({ ufrag }) => ufrag !== "")?.ufrag ?? "";
  }

  get remoteUfrag(): string {
    return this.#current.remote?.sections.find(({ ufrag }) => ufrag !== "")?.ufrag ?? "";
  }

  /** Mids of the sections in use. */
  get liveMids(): ReadonlySet<string> {
    const live = (this.#current.local?.sections ?? []).filter(({ isOff }) => !isOff);
    return new Set(live.map(({ mid }) => mid));
  }

  setConfiguration(): void {
    if (this.signalingState === "closed") throw error("InvalidStateError", "closed");
  }

  async getStats(): Promise<Map<string, object>> {
    const local = this.gathered.get(this.ufrag)?.[0];
    const remote = this.added.get(this.remoteUfrag)?.[0];
    if (this.connectionState !== "connected" || !local || !remote) return new Map();
    const end = (id: string, type: string, { candidate }: CandidateInit) => {
      const [, , protocol, , address, port] = candidate.split(" ");
      return {
        id,
        type,
        candidateType: "host",
        address,
        port: Number(port),
        protocol: protocol?.toLowerCase(),
      };
    };
    return new Map<string, object>([
      ["T", { id: "T", type: "transport", selectedCandidatePairId: "P", tlsVersion: "FEFD" }],
      [
        "P",
        {
          id: "P",
          type: "candidate-pair",
          transportId: "T",
          localCandidateId: "L",
          remoteCandidateId: "R",
        },
      ],
      ["L", end("L", "local-candidate", local)],
      ["R", end("R", "remote-candidate", remote)],
    ]);
  }

  // --- what the SDK does --------------------------------------------------------------------------------

  addTrack(track: Track, ...streams: { id: string }[]): Sender {
    this.#assertOpen();
    const idle = this.getTransceivers().find(
      (one) =>
        one.kind === track.kind &&
        one.sender.track === null &&
        !one.stopping &&
        (one.currentDirection === null || !sends(one.currentDirection as Direction)),
    );
    if (idle) {
      idle.sender.track = track;
      idle.sender.streams = streams.map(({ id }) => id);
      idle.byAddTrack = true;
      idle.direction = directionOf(true, receives(idle.wanted));
      this.negotiationMayBeNeeded();
      return idle.sender;
    }
    const sender = new Sender(this, track, streams);
    const transceiver = new Transceiver(this, track.kind, "sendrecv", sender);
    transceiver.byAddTrack = true;
    this.#transceivers.push(transceiver);
    this.negotiationMayBeNeeded();
    return sender;
  }

  removeTrack(sender: Sender): void {
    this.#assertOpen();
    const transceiver = this.#transceivers.find((one) => one.sender === sender);
    if (!transceiver || transceiver.stopped || sender.track === null) return;
    sender.track = null;
    transceiver.direction = directionOf(false, receives(transceiver.wanted));
    this.negotiationMayBeNeeded();
  }

  getSenders(): Sender[] {
    return this.getTransceivers().map(({ sender }) => sender);
  }

  addTransceiver(
    what: MediaKind | Track,
    { direction = "sendrecv", streams = [] }: { direction?: Direction; streams?: { id: string }[] },
  ): Transceiver {
    this.#assertOpen();
    const [kind, track] = typeof what === "string" ? [what, null] : [what.kind, what];
    const sender = new Sender(this, track, streams);
    const transceiver = new Transceiver(this, kind, direction, sender);
    this.#transceivers.push(transceiver);
    this.negotiationMayBeNeeded();
    return transceiver;
  }

  restartIce(): void {
    if (this.#current.local === null && this.#pending.local === null) return;
    this.#restart = true;
    this.negotiationMayBeNeeded();
  }

  close(): void {
    if (this.signalingState === "closed") return;
    this.signalingState = "closed";
    this.connectionState = "closed";
    this.iceConnectionState = "closed";
    this.world.drop(this.lane);
    this.#network.splice(this.#network.indexOf(this), 1);
  }

  setLocalDescription(given?: { type?: string }): Promise<void> {
    return this.#operate(`setLocal ${given?.type ?? ""}`, () => {
      const type =
        given?.type ?? (this.signalingState === "have-remote-offer" ? "answer" : "offer");
      if (type === "rollback") this.#rollBack("have-local-offer");
      else if (type === "offer") this.#setLocalOffer();
      else this.#setLocalAnswer();
    });
  }

  setRemoteDescription({ type, sdp = "" }: { type: string; sdp?: string }): Promise<void> {
    return this.#operate(`setRemote ${type}`, () => {
      if (type === "rollback") this.#rollBack("have-remote-offer");
      else if (type === "offer") this.#setRemoteOffer(sdp);
      else this.#setRemoteAnswer(sdp);
    });
  }

  addIceCandidate(init: CandidateInit): Promise<void> {
    return this.#operate("addIceCandidate", () => this.#addCandidate(init));
  }

  // --- operations ---------------------------------------------------------------------------------------

  #assertOpen(): void {
    if (this.signalingState === "closed") throw error("InvalidStateError", "closed");
  }

  /** Operations run one after the other, each a while after it was asked for (webrtc-pc 4.4.1.2). */
  #operate(what: string, operation: () => void): Promise<void> {
    if (this.signalingState === "closed") {
      return Promise.reject(error("InvalidStateError", "closed"));
    }
    this.#waiting += 1;
    const done = this.#operations.then(
      () =>
        new Promise<void>((resolve, reject) => {
          this.lane.add(what, () => {
            this.#waiting -= 1;
            try {
              operation();
              resolve();
            } catch (thrown) {
              this.world.note(`${this.name} ${what} failed: ${String(thrown)}`);
              reject(thrown as Error);
            }
            if (this.#waiting === 0) this.negotiationMayBeNeeded();
          });
        }),
    );
    this.#operations = done.catch(() => undefined);
    return done;
  }

  #rollBack(from: "have-local-offer" | "have-remote-offer"): void {
    if (this.signalingState !== from) {
      throw error("InvalidStateError", `rollback in ${this.signalingState}`);
    }
    const known = new Map(this.#before.map((one) => [one.transceiver, one]));
    this.#transceivers = this.#transceivers.filter((one) => {
      const before = known.get(one);
      one.mid = before?.mid ?? null;
      one.index = before?.index ?? null;
      // One that a remote offer made goes with it, unless a track was added to it.
      return before !== undefined || !one.byRemoteOffer || one.byAddTrack;
    });
    for (const one of this.#transceivers) one.byRemoteOffer = false;
    this.#pending = { local: null, remote: null };
    this.signalingState = "stable";
    const { local } = this.#current;
    const kept = local?.sections.find(({ ufrag }) => ufrag !== "")?.ufrag;
    if (this.#keys?.ufrag !== kept) this.#keys = kept ? this.#keysOf.get(kept) : undefined;
    this.#forgetGenerations();
    this.#stable();
  }

  readonly #keysOf = new Map<string, { ufrag: string; pwd: string }>();

  #newKeys(): void {
    const { random } = this.world;
    const isFirefox = this.identity.stack === "firefox";
    this.#keys = {
      ufrag: random.text(isFirefox ? 8 : 4),
      pwd: random.text(isFirefox ? 32 : 24),
    };
    this.#keysOf.set(this.#keys.ufrag, this.#keys);
  }

  #remember(): void {
    this.#before = this.#transceivers.map((transceiver) => ({
      transceiver,
      mid: transceiver.mid,
      index: transceiver.index,
    }));
  }

  #setLocalOffer(): void {
    if (this.signalingState !== "stable" && this.signalingState !== "have-local-offer") {
      throw error("InvalidStateError", `offer in ${this.signalingState}`);
    }
    if (this.signalingState === "stable") this.#remember();
    if (this.#keys === undefined || this.#restart) this.#newKeys();
    const sections: Writing[] = [];
    const places = this.#current.local?.sections ?? [];
    const fresh = this.#transceivers.filter(
      (one) => one.mid === null && !one.stopping && !one.stopped,
    );
    places.forEach((place, index) => {
      const owner = this.#transceivers.find((one) => one.mid === place.mid && !one.stopped);
      const recyclable = place.isOff || this.#current.remote?.sections[index]?.isOff === true;
      if (owner) sections.push(this.#offered(owner, index));
      else {
        const next = recyclable ? fresh.shift() : undefined;
        if (next) sections.push(this.#offered(next, index));
        else sections.push({ ...place, isOff: true, pwd: "", sources: [] });
      }
    });
    for (const one of fresh) sections.push(this.#offered(one, sections.length));
    this.#pending.local = this.#made("offer", sections);
    this.signalingState = "have-local-offer";
    this.#gather();
  }

  #offered(one: Transceiver, index: number): Writing {
    if (one.mid === null) {
      one.mid = String(this.#nextMid++);
      one.index = index;
    }
    const { media, payloadTypes } = this.#mediaAt(one);
    return {
      mid: one.mid,
      kind: one.kind,
      isOff: one.stopping,
      direction: one.wanted,
      setup: "actpass",
      media,
      payloadTypes,
      ...(this.#keys ?? { ufrag: "", pwd: "" }),
      sources: one.sources,
      streams: one.streams,
    };
  }

  /** Payload types once agreed on stay; a bundle has one meaning for each. */
  #mediaAt({ mid, kind }: Transceiver): { media: readonly string[]; payloadTypes: string } {
    const { local, remote } = this.#current;
    const sections = [...(remote?.sections ?? []), ...(local?.sections ?? [])];
    const agreed =
      sections.find((one) => one.mid === mid && one.kind === kind && !one.isOff) ??
      sections.find((one) => one.kind === kind && !one.isOff && one.media.length > 0);
    return agreed ?? mediaOf(this.identity.stack, kind);
  }

  #setLocalAnswer(): void {
    const offer = this.#pending.remote;
    if (this.signalingState !== "have-remote-offer" || offer === null) {
      throw error("InvalidStateError", `answer in ${this.signalingState}`);
    }
    const known = this.#current.remote?.sections.find(({ ufrag }) => ufrag !== "")?.ufrag;
    const asked = offer.sections.find(({ ufrag }) => ufrag !== "")?.ufrag;
    if (this.#keys === undefined || (known !== undefined && known !== asked)) this.#newKeys();
    this.#dtls ??= "active";
    const sections = offer.sections.map((section): Writing => {
      const owner = this.#transceivers.find((one) => one.mid === section.mid && !one.stopped);
      const isOff = section.isOff || owner === undefined || owner.stopping;
      return {
        mid: section.mid,
        kind: section.kind,
        isOff,
        direction: owner ? both(owner.wanted, turned(section.direction)) : "inactive",
        setup: this.#dtls ?? "active",
        media: section.media,
        payloadTypes: section.payloadTypes,
        ...(this.#keys ?? { ufrag: "", pwd: "" }),
        sources: owner?.sources ?? [],
        streams: owner?.streams ?? [],
      };
    });
    const answer = this.#made("answer", sections);
    this.#agree(answer, offer);
    this.#gather();
  }

  #made(type: "offer" | "answer", sections: readonly Writing[]): Description {
    this.#version += 1;
    const sdp = write(sections, this.identity, this.#version);
    return { type, sdp, sections: read(sdp) };
  }

  #setRemoteOffer(sdp: string): void {
    if (this.signalingState === "have-local-offer") this.#rollBack("have-local-offer");
    if (this.signalingState !== "stable") {
      throw error("InvalidStateError", `remote offer in ${this.signalingState}`);
    }
    const offer: Description = { type: "offer", sdp, sections: read(sdp) };
    this.#checkContinuation(offer);
    this.#remember();
    this.#pending.remote = offer;
    this.remoteSet.push(sdp);
    this.signalingState = "have-remote-offer";
    offer.sections.forEach((section, index) => {
      this.#nextMid = Math.max(this.#nextMid, Number(section.mid) + 1 || 0);
      if (section.isOff) return;
      const owner = this.#ownerFor(section);
      owner.mid = section.mid;
      owner.index = index;
      this.#hear(owner, sends(section.direction), section);
    });
    this.#forgetGenerations();
  }

  #ownerFor(section: Section): Transceiver {
    const known = this.#transceivers.find(
      (one) => one.mid === section.mid && one.kind === section.kind && !one.stopped,
    );
    if (known) return known;
    const added = this.#transceivers.find(
      (one) =>
        one.mid === null &&
        one.kind === section.kind &&
        one.byAddTrack &&
        !one.stopping &&
        !one.stopped,
    );
    if (added) return added;
    const made = new Transceiver(this, section.kind, "recvonly", new Sender(this, null, []));
    made.byRemoteOffer = true;
    this.#transceivers.push(made);
    return made;
  }

  #hear(transceiver: Transceiver, isSending: boolean, { streams }: Section): void {
    const isNews = isSending && !transceiver.remoteSends;
    transceiver.remoteSends = isSending;
    if (!isNews) return;
    const { track } = transceiver.receiver;
    const told = streams.map((stream) => ({ id: stream.split(" ")[0] }));
    this.lane.add("track", () => {
      this.dispatchEvent(event("track", { track, streams: told, transceiver }));
    });
  }

  #checkContinuation({ sections }: Description): void {
    const before = this.#current.remote?.sections ?? [];
    before.forEach((known, index) => {
      const now = sections[index];
      const isOff = known.isOff || this.#current.local?.sections[index]?.isOff;
      if (!now || (now.mid !== known.mid && !isOff)) {
        throw error("InvalidAccessError", "m-lines do not match those of the description before");
      }
    });
    const known = before.find(({ fingerprint }) => fingerprint !== "")?.fingerprint;
    const now = sections.find(({ fingerprint }) => fingerprint !== "")?.fingerprint;
    if (known !== undefined && now !== undefined && known !== now) {
      throw error("OperationError", "the fingerprint is another one");
    }
  }

  #setRemoteAnswer(sdp: string): void {
    const offer = this.#pending.local;
    if (this.signalingState !== "have-local-offer" || offer === null) {
      throw error("InvalidStateError", `remote answer in ${this.signalingState}`);
    }
    const answer: Description = { type: "answer", sdp, sections: read(sdp) };
    if (
      answer.sections.map(({ mid }) => mid).join() !== offer.sections.map(({ mid }) => mid).join()
    ) {
      throw error("InvalidAccessError", "the m-lines of the answer are not those of the offer");
    }
    this.#checkContinuation(answer);
    const setup = answer.sections.find((section) => section.setup !== "")?.setup;
    this.#dtls ??= setup === "active" ? "passive" : "active";
    this.remoteSet.push(sdp);
    this.#agree(answer, offer);
  }

  /** An answer of either side: the pair is in force. */
  #agree(answer: Description, offer: Description): void {
    const isLocal = answer !== offer && this.signalingState === "have-remote-offer";
    const local = isLocal ? answer : offer;
    const remote = isLocal ? offer : answer;
    const isRestart = local.sections.find(({ ufrag }) => ufrag !== "")?.ufrag !== this.ufrag;
    this.#current = { local, remote };
    this.#pending = { local: null, remote: null };
    if (isRestart) this.#restart = false;
    local.sections.forEach((section, index) => {
      const other = remote.sections[index];
      const one = this.#transceivers.find(({ mid, stopped }) => mid === section.mid && !stopped);
      if (!one || !other) return;
      if (section.isOff || other.isOff) {
        one.stopped = true;
        one.mid = null;
        one.currentDirection = "stopped";
        return;
      }
      one.byRemoteOffer = false;
      one.currentDirection = isLocal
        ? section.direction
        : both(section.direction, turned(other.direction));
      this.#hear(one, sends(other.direction), other);
    });
    // Whatever was to stop without ever having been offered.
    for (const one of this.#transceivers) if (one.stopping && one.mid === null) one.stopped = true;
    this.#transceivers = this.#transceivers.filter(({ stopped }) => !stopped);
    this.signalingState = "stable";
    this.#forgetGenerations();
    this.#stable();
  }

  #stable(): void {
    this.#before = [];
    this.#needed = false;
    this.negotiationMayBeNeeded();
  }

  // --- negotiationneeded (webrtc-pc 4.7.3) --------------------------------------------------------------

  negotiationMayBeNeeded(): void {
    if (this.#waiting > 0 || this.signalingState === "closed" || this.#isAsking) return;
    if (!this.#isNeeded()) {
      this.#needed = false;
      return;
    }
    this.#isAsking = true;
    this.lane.add("negotiationneeded?", () => {
      this.#isAsking = false;
      if (this.#waiting > 0 || this.signalingState !== "stable") return;
      if (!this.#isNeeded()) {
        this.#needed = false;
        return;
      }
      if (this.#needed) return;
      this.#needed = true;
      this.dispatchEvent(event("negotiationneeded"));
    });
  }

  #isNeeded(): boolean {
    if (this.#restart) return true;
    return this.#transceivers.some((one) => {
      if (one.stopping && !one.stopped) return true;
      if (one.stopped) return false;
      const local = this.#current.local?.sections.find(({ mid }) => mid === one.mid);
      const remote = this.#current.remote?.sections.find(({ mid }) => mid === one.mid);
      if (one.mid === null || !local || !remote) return true;
      if (
        sends(one.wanted) &&
        sends(local.direction) &&
        local.streams.join() !== one.streams.join()
      ) {
        return true;
      }
      if (this.#current.local?.type === "offer") {
        return local.direction !== one.wanted && turned(remote.direction) !== one.wanted;
      }
      return local.direction !== both(one.wanted, turned(remote.direction));
    });
  }

  // --- ICE ----------------------------------------------------------------------------------------------

  #shown(description: Description | null) {
    if (description === null) return null;
    const byMid = new Map<string, string[]>();
    for (const { ufrag } of description.sections) {
      for (const { candidate, sdpMid } of this.gathered.get(ufrag) ?? []) {
        const known = byMid.get(sdpMid ?? "") ?? [];
        if (!known.includes(candidate)) byMid.set(sdpMid ?? "", [...known, candidate]);
      }
      break;
    }
    return { type: description.type, sdp: withCandidates(description.sdp, byMid) };
  }

  #gather(): void {
    const description = this.#pending.local ?? this.#current.local;
    const live = description?.sections.filter(({ isOff }) => !isOff) ?? [];
    const ufrag = this.#keys?.ufrag;
    if (live.length === 0 || ufrag === undefined || this.gathered.has(ufrag)) return;
    this.gathered.set(ufrag, []);
    const { random, clock } = this.world;
    // Before a bundle is agreed on, each section has a transport of its own.
    const isFirst = this.#current.local === null && description?.type === "offer";
    const sections = isFirst ? live : live.slice(0, 1);
    const count = 1 + random.below(3);
    for (let n = 0; n < count; n += 1) {
      for (const { mid } of sections) {
        this.#later(random.chance(0.3) ? random.below(400) : 0, "icecandidate", () =>
          this.#found(ufrag, mid, n),
        );
      }
    }
    const lastMs = random.chance(0.3) ? 400 + random.below(2000) : 400;
    clock.set(() => {
      this.lane.add("icecandidate null", () => {
        if (!this.#has(ufrag)) return;
        this.gatheredAll.add(ufrag);
        this.dispatchEvent(event("icecandidate", { candidate: null }));
      });
    }, lastMs);
  }

  #later(ms: number, what: string, run: () => void): void {
    if (ms === 0) this.lane.add(what, run);
    else this.world.clock.set(() => this.lane.add(what, run), ms);
  }

  #has(ufrag: string): boolean {
    if (this.signalingState === "closed") return false;
    const { local } = this.#current;
    return [local, this.#pending.local].some((description) =>
      description?.sections.some((section) => section.ufrag === ufrag),
    );
  }

  #found(ufrag: string, first: string, n: number): void {
    // Of a description that was rolled back meanwhile.
    if (!this.#has(ufrag)) return;
    const { random } = this.world;
    const sections = (this.#pending.local ?? this.#current.local)?.sections ?? [];
    // A transport goes on under the name of the next section when its first one was stopped.
    const known = sections.findIndex(({ mid, isOff }) => mid === first && !isOff);
    const sdpMLineIndex = known >= 0 ? known : sections.findIndex(({ isOff }) => !isOff);
    const sdpMid = sections[sdpMLineIndex]?.mid;
    if (sdpMid === undefined) return;
    const named = this.identity.stack === "chromium" ? ` generation 0 ufrag ${ufrag}` : "";
    const port = 20_000 + random.below(40_000);
    const candidate = `candidate:${random.below(1e9)} 1 udp ${2113937151 - n} 192.0.2.${1 + random.below(250)} ${port} typ host${named}`;
    const init = { candidate, sdpMid, sdpMLineIndex, usernameFragment: ufrag };
    this.gathered.get(ufrag)?.push(init);
    this.dispatchEvent(
      event("icecandidate", { candidate: { ...init, toJSON: () => ({ ...init }) } }),
    );
  }

  #addCandidate(init: CandidateInit): void {
    const remotes = [this.#current.remote, this.#pending.remote].filter((one) => one !== null);
    if (remotes.length === 0) throw error("InvalidStateError", "no remote description");
    const named = init.usernameFragment ?? / ufrag (\S+)/.exec(init.candidate)?.[1];
    const fits = remotes.flatMap(({ sections }) =>
      sections.filter(
        ({ mid, ufrag }) =>
          (init.sdpMid === null || init.sdpMid === undefined || mid === init.sdpMid) &&
          (named === undefined || ufrag === named),
      ),
    );
    if (fits.length === 0) throw error("OperationError", `no section for ${named ?? init.sdpMid}`);
    const ufrags = new Set(fits.map(({ ufrag }) => ufrag).filter((ufrag) => ufrag !== ""));
    for (const ufrag of ufrags) {
      if (init.candidate === "") this.ended.add(ufrag);
      else this.added.set(ufrag, [...(this.added.get(ufrag) ?? []), init]);
    }
  }

  /** Candidates go with the description they belong to. */
  #forgetGenerations(): void {
    const known = new Set(
      [this.#current.remote, this.#pending.remote].flatMap(
        (one) => one?.sections.map(({ ufrag }) => ufrag) ?? [],
      ),
    );
    for (const ufrag of [...this.added.keys()]) if (!known.has(ufrag)) this.added.delete(ufrag);
    for (const ufrag of [...this.ended]) if (!known.has(ufrag)) this.ended.delete(ufrag);
  }

  /** Looks whether there is a path: the other side has these keys, and both have candidates. */
  look(): void {
    if (this.#current.remote === null || this.#current.local === null) return;
    if (this.liveMids.size === 0) {
      // No transport is left (webrtc-pc 5.5).
      this.#turn("new");
      return;
    }
    const isOpen = this.#hasPath();
    if (isOpen) this.#turn("connected");
    else if (this.connectionState === "new") this.#turn("connecting");
    else if (this.connectionState === "connected") {
      this.#turn("disconnected");
      this.world.clock.set(() => {
        if (this.connectionState === "disconnected") this.#turn("failed");
      }, 10_000);
    }
  }

  #hasPath(): boolean {
    const { ufrag, remoteUfrag } = this;
    const other = this.#network.find((one) => one.#has(remoteUfrag) && one !== this);
    if (!other || this.broken.has(ufrag) || other.broken.has(remoteUfrag)) return false;
    const known = this.#current.remote?.sections.find(({ fingerprint }) => fingerprint !== "");
    const knows = [other.#current.remote, other.#pending.remote].some((one) =>
      one?.sections.some((section) => section.ufrag === ufrag),
    );
    const some = (one: Connection, from: string) => (one.added.get(from)?.length ?? 0) > 0;
    return (
      knows &&
      known?.fingerprint === `sha-256 ${other.identity.fingerprint}` &&
      (some(this, remoteUfrag) || some(other, ufrag))
    );
  }

  /** The other side's connection of this path. */
  get otherEnd(): Connection | undefined {
    return this.#network.find((one) => one !== this && one.#has(this.remoteUfrag));
  }

  #turn(state: Connection["connectionState"]): void {
    if (this.connectionState === state || this.#turning === state) return;
    this.#turning = state;
    this.lane.add(`is ${state}`, () => {
      this.#turning = undefined;
      if (this.connectionState === state || this.signalingState === "closed") return;
      if (state === "connected" && !this.#hasPath()) return;
      this.connectionState = state;
      this.iceConnectionState = state === "connecting" ? "checking" : state;
      this.transport.iceTransport.state = this.iceConnectionState;
      this.transport.state = state === "connecting" ? "new" : state;
      this.transport.iceTransport.dispatchEvent(event("statechange"));
      if (state === "connected") {
        this.transport.iceTransport.dispatchEvent(event("selectedcandidatepairchange"));
      }
      this.dispatchEvent(event("iceconnectionstatechange"));
      this.dispatchEvent(event("connectionstatechange"));
    });
  }
}

/** A local description as it was sent: what a browser shows later has candidates in it. */
export const asSent = (connection: Connection): string =>
  withoutCandidates(connection.currentLocalDescription?.sdp ?? "");
