// One resource of a session in a mobile network, as whoever runs sessions would look after it, on a clock of its own:
// calls and notifications are real, waiting is not.
import type { NetworkPort } from "../../adapters/network/network-port.ts";
import { afterAct } from "../../protocol/assistance/after-act.ts";
import {
  type Act,
  emptyHolding,
  type Holding,
  type Wish,
} from "../../protocol/assistance/holding.ts";
import type { FoundAnswer, Notify } from "../../protocol/assistance/network.ts";
import { begun, dueOf, interrupted, lapsed, nextAct } from "../../protocol/assistance/next-act.ts";
import type { NetworkNews } from "../../protocol/assistance/notifications.ts";
import { notified } from "../../protocol/assistance/notified.ts";
import type { AssistanceApi } from "../../protocol/assistance/record.ts";

export interface LineSetting {
  readonly key: string;
  readonly api: AssistanceApi;
  readonly port: NetworkPort;
  /** Where notifications of the key go; undefined: nowhere. */
  readonly notifyUrl: string | undefined;
  readonly random: () => number;
}

export class NetworkLine {
  readonly setting: LineSetting;
  holding: Holding;
  wish: Wish | undefined;
  /** Milliseconds since 1970. */
  at: number;
  calls = 0;

  constructor(setting: LineSetting) {
    this.setting = setting;
    this.at = Date.now();
    this.holding = emptyHolding(setting.key, "n", setting.api);
  }

  want(body: Wish["body"] | undefined, durationSeconds = 600): void {
    this.wish = body && { key: this.setting.key, network: "n", body, durationSeconds };
  }

  /** Lets so much time pass, making all calls that are due in it. */
  async pass(ms: number): Promise<void> {
    const end = this.at + ms;
    for (;;) {
      const due = dueOf(this.holding, this.wish);
      if (due === null || due > end) break;
      this.at = Math.max(this.at, due);
      await this.turn();
    }
    this.at = Math.max(this.at, end);
  }

  /** The next call, if one is due. */
  async turn(): Promise<void> {
    this.#set(lapsed(this.holding, this.at, this.setting.random()));
    const act = nextAct(this.holding, this.wish, this.at);
    if (!act) return;
    this.#set(begun(this.holding, act, this.at));
    this.calls += 1;
    const answer = await this.call(act);
    this.#set(afterAct(this.holding, act, answer, this.at, this.setting.random()));
  }

  /** The call is made, and whoever made it is gone before its answer. */
  async turnWithoutEnd(): Promise<void> {
    const act = nextAct(this.holding, this.wish, this.at);
    if (!act) return;
    this.#set(begun(this.holding, act, this.at));
    await this.call(act);
    this.#set(interrupted(this.holding, this.at, this.setting.random()));
  }

  hear({ id, status, happenedAt }: NetworkNews): void {
    if (!status) return;
    this.#set(notified(this.holding, { id, status, happenedAt }, this.at));
  }

  async call(act: Act): Promise<FoundAnswer> {
    const { port } = this.setting;
    switch (act.type) {
      case "create":
        return port.create(act.body, this.notify());
      case "find":
        return port.find?.(act.body, this.notify()) ?? NOT_THERE;
      case "change":
        return port.change?.(act.id, act.body, this.notify()) ?? NOT_THERE;
      case "extend":
        return port.extend?.(act.id, act.seconds) ?? NOT_THERE;
      case "read":
        return port.read(act.id);
      default:
        return port.remove(act.id);
    }
  }

  notify(): Notify | undefined {
    const { notifyUrl, key } = this.setting;
    if (notifyUrl === undefined) return undefined;
    return { url: notifyUrl, token: `token-${key}`, tokenExpiresAt: Date.now() + 3_600_000 };
  }

  /** As storage would give it back. */
  #set(holding: Holding): void {
    this.holding = JSON.parse(JSON.stringify(holding)) as Holding;
  }
}

const NOT_THERE = { type: "refused", reason: "not-there" } as const;
