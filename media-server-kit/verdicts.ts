import { CHECK_IDS, CHECKS, type CheckId } from "./catalogue.ts";
import { Failure, Unjudged } from "./judgement.ts";

export interface Verdict {
  readonly outcome: "pass" | "fail" | "skip";
  readonly reason?: string;
}

/** What became of each check. The first failure of a check stays. */
export class Verdicts {
  readonly #verdicts = new Map<CheckId, Verdict>();

  /** Judges; true where it passed. What is no failure of the media server is thrown on. */
  async judge(id: CheckId, look: () => unknown): Promise<boolean> {
    try {
      await look();
      if (!this.#verdicts.has(id)) this.#verdicts.set(id, { outcome: "pass" });
      return true;
    } catch (fault) {
      if (fault instanceof Failure) {
        if (this.#verdicts.get(id)?.outcome !== "fail") {
          this.#verdicts.set(id, { outcome: "fail", reason: fault.message });
        }
        return false;
      }
      if (!(fault instanceof Unjudged)) throw fault;
      this.skip(id, fault.message);
      return false;
    }
  }

  skip(id: CheckId, reason: string): void {
    if (!this.#verdicts.has(id)) this.#verdicts.set(id, { outcome: "skip", reason });
  }

  of(id: CheckId): Verdict {
    return this.#verdicts.get(id) ?? { outcome: "skip", reason: "not reached" };
  }

  get passed(): boolean {
    return CHECK_IDS.every((id) => CHECKS[id].level === "advice" || this.of(id).outcome !== "fail");
  }
}
