import { canonicalAddressOf } from "../sdp/address.ts";
import type { Ue, UeClaims, UeSeen } from "../session-config.ts";
import type { AssistanceNetwork } from "./config.ts";
import { isInBlocks } from "./prefix.ts";

/**
 * Whoever comes, as the UE of a network: the one that its token names, else the first that has its address. Undefined in
 * a deployment without networks: then nothing is remembered of where anybody is.
 */
export function ueSeen(
  networks: readonly AssistanceNetwork[],
  { network: named, phoneNumber }: UeClaims,
  address: string | undefined,
): UeSeen | undefined {
  if (networks.length === 0) return undefined;
  const network = networks.find(
    ({ name, blocks }) =>
      name === named || (named === undefined && isInBlocks(address ?? "", blocks)),
  );
  return {
    ...(network && { network: network.name }),
    ...(network && named !== undefined && { isNamed: true as const }),
    ...(phoneNumber !== undefined && { phoneNumber }),
    ...(address !== undefined && { address: canonicalAddressOf(address) }),
  };
}

/** As the session remembers it: a newer token may say less than the one before. */
export function ueKept(seen: UeSeen | undefined, known: Ue | undefined): Ue | undefined {
  // A name goes before the address; who is known by that alone has left the network with it.
  const named = [seen, known].find((each) => each?.isNamed);
  const network = (named ?? seen)?.network;
  if (seen === undefined || network === undefined) return undefined;
  const phoneNumber = seen.phoneNumber ?? known?.phoneNumber;
  const { address } = seen;
  return {
    network,
    ...(named && { isNamed: true as const }),
    ...(phoneNumber !== undefined && { phoneNumber }),
    ...(address !== undefined && { address }),
  };
}
