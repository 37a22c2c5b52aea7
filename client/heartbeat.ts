const PERIOD_MS = 25_000;
const REPLY_MS = 5_000;
const PING = '{"type":"ping"}';

/**
 * Tells when a socket has died without closing. A socket is dead when a ping went out and, at a later look,
 * nothing at all has come in. Only what was heard decides, never how much time passed: a hidden tab looks
 * late, and by then the pong is there.
 */
export class Heartbeat {
  readonly #dead: () => void;
  #socket: WebSocket | undefined;
  #period: ReturnType<typeof setInterval> | undefined;
  #look: ReturnType<typeof setTimeout> | undefined;
  #unanswered = false;

  constructor(dead: () => void) {
    this.#dead = dead;
  }

  start(socket: WebSocket): void {
    this.stop();
    this.#socket = socket;
    this.#period = setInterval(() => this.probe(), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#period);
    clearTimeout(this.#look);
    this.#look = undefined;
    this.#socket = undefined;
    this.#unanswered = false;
  }

  /** Any frame is a sign of life. */
  heard(): void {
    this.#unanswered = false;
  }

  /** Asks for a sign of life and looks for it soon; also after a request, or when the page is shown again. */
  probe(): void {
    if (this.#look !== undefined || this.#socket?.readyState !== WebSocket.OPEN) return;
    // Answered by the edge without waking the session's object (setWebSocketAutoResponse), to the letter.
    this.#socket.send(PING);
    this.#unanswered = true;
    this.#look = setTimeout(() => {
      this.#look = undefined;
      if (this.#unanswered) this.#dead();
    }, REPLY_MS);
  }
}
