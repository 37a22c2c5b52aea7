import type { SdpCheck, SdpTexts } from "../protocol/sdp-check.ts";
import { Refusal } from "./back-end.ts";

/** Asks the server for a check, as anybody may. Throws `Refusal`. */
export async function requestCheck(texts: SdpTexts, signal: AbortSignal): Promise<SdpCheck> {
  const response = await fetch("/v1/sdp/check", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(texts),
    signal,
  }).catch((fault: unknown) => {
    if (signal.aborted) throw fault;
    throw new Refusal(0, "unreachable", "no answer");
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as SdpCheck;
  const { code = "", detail = "" } = answer as { code?: string; detail?: string };
  throw new Refusal(response.status, code, detail);
}
