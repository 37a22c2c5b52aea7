import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import { camaraQod } from "./camara-qod.ts";
import { nefQos } from "./nef-qos.ts";
import type { NetworkPort } from "./network-port.ts";
import type { NetworkSurroundings } from "./network-sending.ts";
import { rtcAf } from "./rtc-af.ts";

const ADAPTERS = { "camara-qod": camaraQod, nef: nefQos, "rtc-af": rtcAf } as const;

/** The adapter of the API that the network has. */
export const networkPortOf = (access: NetworkAccess, around: NetworkSurroundings): NetworkPort =>
  ADAPTERS[access.api](access, around);
