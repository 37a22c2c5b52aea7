import type { Notify } from "../protocol/assistance/network.ts";
import { deploymentConfig } from "./deployment-config.ts";
import { hexOf, hmac } from "./signing-key.ts";

/** Of which request a mobile network tells something, by the address that it was given for that. */
export interface NotifyAddress {
  readonly session: string;
  readonly network: string;
  readonly key: string;
  readonly generation: number;
}

/** Longer than any session lasts whose requests are not made anew. */
const TOKEN_LIFE_MS = 30 * 86_400_000;

export const NOTIFY_PATH = "/v1/assistance/notifications";

/** Where a network tells what becomes of a request; undefined where the deployment says no address for it. */
export async function notifyFor(env: object, address: NotifyAddress): Promise<Notify | undefined> {
  const { assistance, tokenSecrets } = deploymentConfig(env);
  const [secret] = tokenSecrets;
  if (assistance.notifyUrl === undefined || secret === undefined) return undefined;
  const said = textOf(address);
  return {
    url: `${assistance.notifyUrl}${NOTIFY_PATH}/${said}.${await sealOf(secret, "address", said)}`,
    token: await sealOf(secret, "token", said),
    // The same for the whole day: it names nothing, and a request is found again by what it was made with.
    tokenExpiresAt: Math.ceil(Date.now() / TOKEN_LIFE_MS + 1) * TOKEN_LIFE_MS,
  };
}

/** The address that was given so, and whether the bearer is the token given with it; undefined for what is none of ours. */
export async function readNotifyAddress(
  env: object,
  text: string,
  bearer: string | undefined,
): Promise<(NotifyAddress & { readonly isBearer: boolean }) | undefined> {
  const [said = "", seal = ""] = text.split(".");
  for (const secret of deploymentConfig(env).tokenSecrets) {
    if (!isEqual(await sealOf(secret, "address", said), seal)) continue;
    const [session, network, key, generation] = JSON.parse(bytesToText(said)) as [
      string,
      string,
      string,
      number,
    ];
    const isBearer = isEqual(await sealOf(secret, "token", said), bearer ?? "");
    return { session, network, key, generation, isBearer };
  }
  return undefined;
}

const textOf = ({ session, network, key, generation }: NotifyAddress): string =>
  btoa(JSON.stringify([session, network, key, generation]))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const bytesToText = (text: string): string => atob(text.replaceAll("-", "+").replaceAll("_", "/"));

const sealOf = async (secret: string, kind: string, said: string): Promise<string> =>
  hexOf(await hmac(`duplex network ${secret}`, `${kind} ${said}`));

/** In a time that tells nothing about where they differ. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
