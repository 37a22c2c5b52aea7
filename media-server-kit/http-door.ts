import { setTimeout as delay } from "node:timers/promises";
import type { CentralSession } from "./application.ts";
import { Failure } from "./judgement.ts";

/** A WHIP or WHEP session as its client sees it (RFC 9725). */

/** A player may come before its publisher: it tries again. */
const NOT_LIVE = 409;
const LIVE_MS = 4_000;
const LOOK_MS = 500;

const CREDENTIALS = /^a=ice-(?:ufrag|pwd):.*$/gm;

export interface Credentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export function credentialsIn(sdp: string): Credentials {
  const [, ufrag = ""] = /^a=ice-ufrag:(\S+)/m.exec(sdp) ?? [];
  const [, pwd = ""] = /^a=ice-pwd:(\S+)/m.exec(sdp) ?? [];
  return { ufrag, pwd };
}

export const candidatesIn = (sdp: string): string[] => [
  ...new Set((sdp.match(/^a=candidate:.*$/gm) ?? []).map((line) => line.trim())),
];

/** A description without what can be told later (RFC 9725 s4.3.2). */
export const withoutCandidates = (sdp: string): string =>
  sdp.replace(/^a=(?:candidate:|end-of-candidates).*\r?\n/gm, "");

export class HttpDoor {
  readonly #url: string;
  readonly #authorization: string;
  answer: string;
  #tag: string;

  private constructor(url: string, authorization: string, answer: string, tag: string) {
    this.#url = url;
    this.#authorization = authorization;
    this.answer = answer;
    this.#tag = tag;
  }

  /** Posts an offer; a failure when it is not answered. */
  static async open(
    session: CentralSession,
    door: "whip" | "whep",
    token: string,
    offer: string,
  ): Promise<HttpDoor> {
    const endpoint = session.url(`/${door}`);
    const authorization = `Bearer ${token}`;
    const post = () =>
      fetch(endpoint, {
        method: "POST",
        headers: { authorization, "content-type": "application/sdp" },
        body: offer,
      });
    let response = await post();
    const endMs = performance.now() + LIVE_MS;
    while (response.status === NOT_LIVE && performance.now() < endMs) {
      await delay(LOOK_MS);
      response = await post();
    }
    const text = await response.text();
    if (response.status !== 201) {
      throw new Failure(`expected the offer to be answered (201); saw ${response.status} ${text}`);
    }
    const url = new URL(response.headers.get("location") ?? "", endpoint).href;
    return new HttpDoor(url, authorization, text, response.headers.get("etag") ?? "");
  }

  /** Tells candidates. */
  async trickle(offer: string): Promise<void> {
    const { status } = await this.#patch(fragmentOf(offer));
    if (status !== 204)
      throw new Failure(`expected the candidates to be taken (204); saw ${status}`);
  }

  /** Restarts ICE; gives the former answer with what is new in it. */
  async restart(offer: string): Promise<string> {
    const { status, text, tag } = await this.#patch(fragmentOf(offer));
    if (status !== 200) {
      throw new Failure(`expected the restart to be answered (200); saw ${status} ${text}`);
    }
    this.#tag = tag;
    const { ufrag, pwd } = credentialsIn(text);
    const [head = "", first = "", ...rest] = withoutCandidates(this.answer)
      .replace(CREDENTIALS, (line) =>
        line.startsWith("a=ice-ufrag") ? `a=ice-ufrag:${ufrag}` : `a=ice-pwd:${pwd}`,
      )
      .split(/^(?=m=)/m);
    const lines = candidatesIn(text).map((line) => `${line}\r\n`);
    this.answer = [head, first + lines.join(""), ...rest].join("");
    return this.answer;
  }

  async end(): Promise<number> {
    const headers = { authorization: this.#authorization };
    const response = await fetch(this.#url, { method: "DELETE", headers });
    await response.arrayBuffer();
    return response.status;
  }

  async #patch(body: string) {
    const response = await fetch(this.#url, {
      method: "PATCH",
      headers: {
        authorization: this.#authorization,
        "content-type": "application/trickle-ice-sdpfrag",
        "if-match": this.#tag,
      },
      body,
    });
    const text = await response.text();
    return { status: response.status, text, tag: response.headers.get("etag") ?? this.#tag };
  }
}

/** RFC 8840 s9: credentials, the first section's head, and its candidates. */
function fragmentOf(offer: string): string {
  const { ufrag, pwd } = credentialsIn(offer);
  const [mLine = ""] = /^m=.*$/m.exec(offer) ?? [];
  const [mid = ""] = /^a=mid:.*$/m.exec(offer) ?? [];
  return [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    mLine.trim(),
    mid.trim(),
    ...candidatesIn(offer),
    "a=end-of-candidates",
    "",
  ].join("\r\n");
}
