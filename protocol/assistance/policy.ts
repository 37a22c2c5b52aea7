import type { Peer, Session } from "../session.ts";
import type { AssistanceNetwork } from "./config.ts";

/** Whether a network is asked, or only what it would be asked is shown. */
export type AssistanceMode = "on" | "dry-run";

/**
 * The network that is asked for a peer, and how: the one that it is in, if that is for this session. What the session was
 * created with goes before what the deployment does by default; a network that is in a dry run is asked for nobody.
 */
export function policyFor(
  { config, networks: granted }: Session,
  { role, ue }: Peer,
  networks: readonly AssistanceNetwork[],
): { readonly network: AssistanceNetwork; readonly mode: AssistanceMode } | undefined {
  if (!ue || role !== "peer") return undefined;
  const network = networks.find(({ name }) => name === ue.network);
  if (!network || (network.keys && !granted?.includes(network.name))) return undefined;
  const wanted = config.assistance ?? (network.mode === "opt-in" ? "off" : "on");
  if (wanted === "off") return undefined;
  const isDry = wanted === "dry-run" || network.mode === "dry-run";
  return { network, mode: isDry ? "dry-run" : "on" };
}
