import type { SimulatedFault } from "../protocol/simulated-fault.ts";
import { simulate } from "./back-end.ts";
import { make } from "./element.ts";

/** What each button asks for. Enough frames that a call shows it. */
const FAULTS: readonly SimulatedFault[] = [
  { fault: "drop" },
  { fault: "half-open" },
  { fault: "evict" },
  { fault: "abort" },
  { fault: "duplicate", count: 20 },
  { fault: "reorder", count: 10 },
  { fault: "delay", count: 10, delayMs: 1000 },
];

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** True where the address asks for the buttons: `?simulate`, and only on this machine. */
const isWanted = (): boolean =>
  LOOPBACK.test(location.hostname) && new URLSearchParams(location.search).has("simulate");

/**
 * A row of buttons that let faults of the network happen to this page's own peer. `own` names it, `refused` hears
 * of what the server did not allow.
 */
export function showFaultButtons(
  row: HTMLElement,
  own: () => { readonly session: string; readonly peer: string } | undefined,
  refused: (thrown: unknown) => void,
): void {
  row.hidden = !isWanted();
  for (const asked of FAULTS) {
    const button = make("button", "button small", asked.fault);
    button.type = "button";
    button.addEventListener("click", () => {
      const about = own();
      if (about !== undefined) simulate(about.session, about.peer, asked).catch(refused);
    });
    row.append(button);
  }
}
