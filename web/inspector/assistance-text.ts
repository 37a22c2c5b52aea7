import type { Lack } from "../../protocol/assistance/assisted.ts";
import type { FlowAssistance } from "../../protocol/assistance/record.ts";
import { bitrate } from "../words.ts";
import { clock } from "./words.ts";

const APIS: Readonly<Record<FlowAssistance["api"], string>> = {
  "camara-qod": "CAMARA QoD",
  nef: "NEF",
  "rtc-af": "RTC AF",
};

/** States of a request, each with a sign besides its words. */
const STATES: Readonly<Record<FlowAssistance["state"], string>> = {
  waiting: "○ waits",
  requested: "◔ asked, no word yet",
  granted: "✓ granted",
  impaired: "! cannot hold it now",
  refused: "✕ refused",
  ended: "– over",
  "dry-run": "○ dry run: would have asked",
};

/** What a request waits for. */
const LACKS: Readonly<Record<Lack, string>> = {
  media: "nothing runs between them",
  "ue-address": "its own address is not known yet",
  "server-address": "the address of the other side is not known yet",
  device: "nothing tells the network which device it is",
  profile: "no profile of the network fits",
};

const whyText = (reason: string): string => LACKS[reason as Lack] ?? reason;

interface Rates {
  readonly uplinkBps?: number | undefined;
  readonly downlinkBps?: number | undefined;
  readonly profile?: string | undefined;
}

/** `2.0 Mbit/s up, 400 kbit/s down, QOS_M`: what the end sends and receives. */
const ratesText = ({ uplinkBps, downlinkBps, profile = "" }: Rates): string =>
  [
    uplinkBps === undefined ? "" : `${bitrate(uplinkBps)} up`,
    downlinkBps === undefined ? "" : `${bitrate(downlinkBps)} down`,
    profile,
  ]
    .filter((part) => part !== "")
    .join(", ");

/** What a mobile network does for an end, in lines, how it is first; times count from the start of the session. */
export function assistanceLines(
  { network, api, state, since, asked, granted, advised, reason, failures }: FlowAssistance,
  createdAt: number,
): readonly string[] {
  const until = granted?.until === undefined ? "" : ` until ${clock(granted.until - createdAt)}`;
  const held = granted && `${ratesText(granted)}${until}`.trim();
  return [
    STATES[state],
    reason === undefined ? "" : `Why: ${whyText(reason)}`,
    `In ${network} (${APIS[api]}), so since ${clock(since - createdAt)}`,
    asked ? `Asked for ${ratesText(asked)}` : "",
    held ? `Granted ${held}` : "",
    advised ? `Recommends at most ${ratesText(advised)}` : "",
    failures === undefined || failures === 0 ? "" : `Calls that failed in a row: ${failures}`,
  ].filter((line) => line !== "");
}
