/** What a data channel takes in one `send`. */
export type Frame = string | Blob | Uint8Array<ArrayBuffer>;

/** Browsers hold 16 MiB at most for a channel and refuse what is more; with less, other channels are not held up. */
const MOST_BYTES = 1024 * 1024;

interface Message {
  /** Undefined while what they are made of is being read. */
  frames: Iterator<Frame> | undefined;
}

/** Told of a frame that the browser does not send, or a message that cannot be read. */
type Refused = (type: "message-too-big" | "webrtc", error: unknown) => void;

/** Sends messages in their order, as fast as the channel takes them. */
export class Outbox {
  readonly #channel: RTCDataChannel;
  readonly #refused: Refused;
  #waiting: Message[] = [];
  #emptied: (() => void) | undefined;

  constructor(channel: RTCDataChannel, refused: Refused) {
    this.#channel = channel;
    this.#refused = refused;
    channel.bufferedAmountLowThreshold = MOST_BYTES / 4;
    channel.addEventListener("bufferedamountlow", () => this.#drain());
  }

  /** Messages that the channel has not taken whole. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Sends the frames, after all that was added before. */
  add(frames: Iterator<Frame> | Promise<Iterator<Frame>>): void {
    const message: Message = { frames: frames instanceof Promise ? undefined : frames };
    this.#waiting.push(message);
    if (!(frames instanceof Promise)) this.#drain();
    else {
      frames
        .catch((error: unknown) => {
          this.#refused("webrtc", error);
          return [].values();
        })
        .then((read) => {
          message.frames = read;
          this.#drain();
        })
        .catch(reportError);
    }
  }

  /** Calls back once the channel has taken everything. */
  whenEmpty(emptied: () => void): void {
    this.#emptied = emptied;
    this.#drain();
  }

  #drain(): void {
    while (this.#channel.readyState === "open") {
      const [message] = this.#waiting;
      if (!message) {
        this.#emptied?.();
        return;
      }
      if (!message.frames || this.#channel.bufferedAmount > MOST_BYTES) return;
      const { done, value } = message.frames.next();
      if (done) this.#waiting.shift();
      else this.#send(value);
    }
    this.#waiting = [];
  }

  #send(frame: Frame): void {
    try {
      // The overloads take each kind of frame, but not a union of them.
      this.#channel.send(frame as string);
    } catch (error) {
      this.#refused("message-too-big", error);
    }
  }
}
