import type { Lack } from "./assisted.ts";
import { sameBody } from "./bodies.ts";
import type { Holding, Wish } from "./holding.ts";
import type { Wanted } from "./wishes.ts";

/** Milliseconds. */
export const PATIENCE = {
  /** What rests on candidates, or on what the other end says, is asked for then: the UE has mostly told its pair before. */
  candidatesMs: 3_000,
  /** What is held stays for so long while nobody knows the path: ICE restarts, or an object has just been woken. */
  heldMs: 15_000,
} as const;

const ADDRESSES: ReadonlySet<Lack> = new Set<Lack>(["ue-address", "server-address", "device"]);

/** It is likely to be something else soon: nobody knows the path yet, or at the moment. */
export const isUnsure = ({ isTentative, lacks }: Wanted): boolean =>
  isTentative === true || (lacks !== undefined && ADDRESSES.has(lacks));

/**
 * What is to be asked for under a key now. `isAmid`: something that the UE wants of this network is unsure; `waitedMs`: for how
 * long that has been so. What is held stays meanwhile: media may run on the old path until there is another (RFC 8445 s9).
 */
export function wishIn(
  wanted: Wanted | undefined,
  holding: Holding | undefined,
  { isAmid, waitedMs }: { readonly isAmid: boolean; readonly waitedMs: number },
): Wish | undefined {
  if (wanted?.mode === "dry-run") return undefined;
  const isOpen = wanted ? isUnsure(wanted) : isAmid;
  const patienceMs = wanted?.isHearsay ? PATIENCE.candidatesMs : PATIENCE.heldMs;
  const held = isOpen && waitedMs < patienceMs ? heldWish(holding) : undefined;
  if (held) return held;
  const isTime = waitedMs >= PATIENCE.candidatesMs || wanted?.canBeCompleted === true;
  return wanted?.isTentative && !isTime ? undefined : wanted?.wish;
}

/** After how much of waiting `wishIn` says something else than now; undefined: it will not. Milliseconds. */
export function nextPatience(
  wanted: Wanted | undefined,
  holding: Holding | undefined,
  amid: { readonly isAmid: boolean; readonly waitedMs: number },
): number | undefined {
  const now = wishIn(wanted, holding, amid);
  return Object.values(PATIENCE)
    .filter((ms) => ms > amid.waitedMs)
    .find((waitedMs) => {
      const then = wishIn(wanted, holding, { ...amid, waitedMs });
      return now && then ? !sameBody(now.body, then.body) : now !== then;
    });
}

/** To go on as it is. */
function heldWish(holding: Holding | undefined): Wish | undefined {
  const body = holding?.held?.body;
  if (!holding || !body) return undefined;
  const { key, network, held } = holding;
  const { duration } = body;
  return {
    ...{ key, network, body },
    ...(held?.asked && { asked: held.asked }),
    ...(typeof duration === "number" && { durationSeconds: duration }),
  };
}
