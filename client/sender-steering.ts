import type { FlowApplied } from "../protocol/flow.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { Ack, SignallingPort } from "./requests.ts";

/** What its record asks of the sender of a flow; what is undefined is the application's to choose. */
interface Asked {
  readonly held: boolean;
  readonly maxBitrateBps: number | undefined;
  readonly priority: RTCPriorityType | undefined;
}

/** `networkPriority` asks for DSCP marking (RFC 8837); TypeScript's DOM lacks it, and so does Firefox. */
type Encoding = RTCRtpEncodingParameters & { networkPriority?: RTCPriorityType };

/** What is set here. */
const STEERED = ["active", "maxBitrate", "priority", "networkPriority"] as const;

/** A reply that was lost with the socket: `repeat` says it all again. */
const told: Ack = { type: "ack", re: 0 };

const NO_LIMIT = Number.POSITIVE_INFINITY;

type Outcome = Omit<FlowApplied, "revision">;
type Fault = NonNullable<FlowApplied["problem"]>;

/**
 * A hold is obeyed by what was asked, not by the state: a direction that is switched off holds the flow, too,
 * and switching it on again must not wait for the record.
 */
function askedOf({ requests = [], state, reason, limits, priority }: FlowSummary): Asked {
  return {
    held: requests.some(({ held }) => held) || (state === "held" && reason === "source-ended"),
    maxBitrateBps: limits?.effectiveBps,
    priority: requests.some((one) => one.priority !== undefined) ? priority : undefined,
  };
}

const asksFor = ({ held, maxBitrateBps, priority }: Asked): boolean =>
  held || (maxBitrateBps ?? priority) !== undefined;

/** Parts of a limit for simulcast layers: by pixels, as they cost. */
function divided(limit: number, encodings: readonly Encoding[]): number[] {
  const weights = encodings.map(({ scaleResolutionDownBy = 1 }) => 1 / scaleResolutionDownBy ** 2);
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  // Less than Opus takes at least (RFC 7587 s6.1) Chromium refuses, and limits nothing then.
  return weights.map((weight) =>
    Math.max(weight < whole ? 1 : 6000, Math.floor((limit * weight) / whole)),
  );
}

const finite = (bps: number): number | undefined => (bps < NO_LIMIT ? bps : undefined);

/** The application's choice under what was asked; to a browser, a member that is undefined is not there. */
const chosen = (own: Encoding, asked: Asked, share: number) => ({
  active: !asked.held && own.active !== false,
  maxBitrate: finite(Math.min(own.maxBitrate ?? NO_LIMIT, share)),
  priority: asked.priority ?? own.priority,
  networkPriority: asked.priority ?? own.networkPriority,
});

/** What the application has chosen of an encoding, and what was set there. */
type Steered = readonly [own: Encoding, set: Partial<Record<keyof Encoding, unknown>>];

/** A section that stays negotiated but does not send: the way to hold where encodings cannot be. */
const SILENT: Partial<Record<RTCRtpTransceiverDirection, RTCRtpTransceiverDirection>> = {
  sendrecv: "recvonly",
  sendonly: "inactive",
};
const SENDING: typeof SILENT = { recvonly: "sendrecv", inactive: "sendonly" };

const textOf = ({ held, maxBitrateBps, priority, problem }: Outcome): string =>
  JSON.stringify([held, maxBitrateBps, priority, problem]);

/**
 * Makes the senders of one connection obey the records of their flows (M5): held, bit rate, priority. What is
 * not asked any more is as the application had it. The server is told what came of it, once per change.
 */
export class SenderSteering {
  readonly #connection: RTCPeerConnection;
  readonly #port: SignallingPort;
  readonly #due = new Map<string, FlowSummary>();
  /** What the application has chosen, where the record may overrule it. */
  readonly #steered = new WeakMap<RTCRtpSender, readonly Steered[]>();
  readonly #silenced = new WeakSet<RTCRtpTransceiver>();
  readonly #told = new Map<string, string>();
  /** One after the other: parameters that were read are void once others are set. */
  #last: Promise<void> = Promise.resolve();

  constructor(connection: RTCPeerConnection, port: SignallingPort) {
    this.#connection = connection;
    this.#port = port;
  }

  /** Obeys the record of a flow that this side sends; of several that come at once, the newest. */
  obey(flow: FlowSummary): void {
    this.#due.set(flow.id, flow);
    this.#last = this.#last.then(() => this.#obeyNewest(flow.id)).catch(reportError);
  }

  /** After a reconnect: what was told last may not have arrived; the record says whether it has. */
  repeat(): void {
    this.#told.clear();
  }

  async #obeyNewest(id: string): Promise<void> {
    const flow = this.#due.get(id);
    this.#due.delete(id);
    const { currentLocalDescription, signalingState } = this.#connection;
    if (!flow || currentLocalDescription === null || signalingState === "closed") return;
    if (flow.state === "ended") this.#told.delete(id);
    if (flow.state === "ended" || flow.state === "proposed") return;
    const asked = askedOf(flow);
    const outcome = flow.kind === "data" ? dataOutcome(asked) : await this.#steer(flow.mid, asked);
    const known = this.#told.get(id) ?? (flow.applied && textOf(flow.applied));
    const text = textOf(outcome);
    if (text === known || !(known ?? asksFor(asked))) return;
    this.#told.set(id, text);
    this.#port
      .request({ type: "applied", flow: id, revision: flow.revision, ...outcome }, () => told)
      // The flow ended meanwhile, or there is no server any more to tell.
      .catch(() => undefined);
  }

  async #steer(mid: string, asked: Asked): Promise<Outcome> {
    const transceiver = this.#connection
      .getTransceivers()
      .find((one) => one.mid === mid && one.direction !== "stopped");
    if (transceiver === undefined) {
      return { problem: { code: "no-sender", detail: "no transceiver has this mid" } };
    }
    let fault = await this.#set(transceiver.sender, asked);
    // What was read may have changed meanwhile, by a negotiation or by the application.
    if (fault) fault = await this.#set(transceiver.sender, asked);
    this.#turn(transceiver, asked.held);
    return this.#outcome(transceiver, asked, fault);
  }

  /** Sets the parameters that differ; gives what the browser has against it. */
  async #set(sender: RTCRtpSender, asked: Asked): Promise<Fault | undefined> {
    const parameters = sender.getParameters();
    const encodings: Encoding[] = parameters.encodings ?? [];
    const shares = divided(asked.maxBitrateBps ?? NO_LIMIT, encodings);
    const before = JSON.stringify(encodings);
    const steered = encodings.map((encoding, index): Steered => {
      const [known, set] = this.#steered.get(sender)?.[index] ?? [encoding, encoding];
      // What is another than what was set here the application has chosen meanwhile.
      const members = STEERED.map((name) => [
        name,
        (encoding[name] === set[name] ? known : encoding)[name],
      ]);
      const own: Encoding = Object.fromEntries(members);
      const wanted = chosen(own, asked, shares[index] as number);
      Object.assign(encoding, wanted);
      return [own, wanted];
    });
    try {
      if (JSON.stringify(encodings) !== before) await sender.setParameters(parameters);
    } catch (error) {
      const { name, message } = error as DOMException;
      return { code: name, detail: message.slice(0, 256) };
    }
    this.#steered.set(sender, steered);
    return undefined;
  }

  /** Holds by the direction what sends nevertheless; the next negotiation tells the other side. */
  #turn(transceiver: RTCRtpTransceiver, held: boolean): void {
    const { direction, sender } = transceiver;
    const silent = SILENT[direction];
    const sending = SENDING[direction];
    if (held && silent && !isHeld(transceiver)) {
      this.#silenced.add(transceiver);
      transceiver.direction = silent;
    }
    // A track that was taken back meanwhile has nothing to send.
    if (!held && this.#silenced.delete(transceiver) && sending && sender.track) {
      transceiver.direction = sending;
    }
  }

  /** What the browser says after all: what it silently leaves out has not been done. */
  #outcome(transceiver: RTCRtpTransceiver, asked: Asked, fault: Fault | undefined): Outcome {
    const encodings: Encoding[] = transceiver.sender.getParameters().encodings ?? [];
    const limit =
      encodings.reduce((sum, { maxBitrate }) => sum + (maxBitrate ?? NO_LIMIT), 0) || NO_LIMIT;
    const held = this.#silenced.has(transceiver) || isHeld(transceiver);
    const sends = transceiver.direction in SILENT && !held;
    const priority = encodings[0]?.priority;
    const undone = [
      asked.held && sends && "held",
      limit > (asked.maxBitrateBps ?? limit) && "maxBitrateBps",
      priority !== (asked.priority ?? priority) && "priority",
    ].filter(Boolean);
    const detail = `the browser does not take ${undone.join(", ")}`;
    const problem = undone[0] ? (fault ?? { code: "not-supported", detail }) : undefined;
    return { held, maxBitrateBps: finite(limit) ?? null, priority, problem };
  }
}

function isHeld({ sender }: RTCRtpTransceiver): boolean {
  const encodings = sender.getParameters().encodings ?? [];
  return encodings.length > 0 && encodings.every(({ active }) => active === false);
}

/** The priority of a data channel is fixed when it is made. */
function dataOutcome({ priority }: Asked): Outcome {
  if (!priority) return {};
  const detail = "the priority of a data channel is fixed when it is made";
  return { problem: { code: "not-supported", detail } };
}
