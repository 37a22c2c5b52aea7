import { logLevelOf } from "../protocol/config.ts";
import { dataPointsOf, type Place } from "../protocol/metrics/data-point.ts";
import type { Change } from "../protocol/metrics/lifecycle.ts";
import { levelOf, logLineOf } from "../protocol/metrics/log-line.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";

/** Tells operators what happens: data points where the deployment has a dataset, lines of the log as `LOG_LEVEL` says. */
export class LifecycleNews {
  readonly #env: Bindings;

  constructor(env: Bindings) {
    this.#env = env;
  }

  /** Nothing of a call depends on it: what fails here is logged. */
  tell(place: Place, changes: readonly Change[]): void {
    if (changes.length === 0) return;
    try {
      this.#measure(place, changes);
      this.#log(place.session, changes);
    } catch (thrown) {
      report(thrown);
    }
  }

  #measure(place: Place, changes: readonly Change[]): void {
    const { METRICS } = this.#env;
    if (!METRICS) return;
    for (const point of dataPointsOf(changes, place)) METRICS.writeDataPoint({ ...point });
  }

  #log(session: string, changes: readonly Change[]): void {
    const level = logLevelOf(this.#env);
    if (level === "error") return;
    for (const change of changes) {
      // biome-ignore-start lint/suspicious/noConsole: this is where changes are logged
      if (levelOf(change) === "warn") console.warn(logLineOf(session, change));
      else if (level === "info") console.info(logLineOf(session, change));
      // biome-ignore-end lint/suspicious/noConsole: see above
    }
  }
}
