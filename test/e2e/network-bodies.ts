// Request bodies of a device, as the flows of a call would make them.
import type { NetworkBody } from "../../protocol/assistance/network.ts";
import type { AssistanceApi } from "../../protocol/assistance/record.ts";
import { assistanceRequest, nefRequest, policyRequest, qodRequest } from "./network-caller.ts";

/** Variants of the same device: another quality, other packets. */
export const VARIANTS = ["usual", "less", "elsewhere"] as const;
export type Variant = (typeof VARIANTS)[number];

const MAKERS: Readonly<Record<AssistanceApi, (device: number, variant: Variant) => NetworkBody>> = {
  "camara-qod": (device, variant) =>
    qodRequest(10_000 + device, {
      duration: 600,
      qosProfile: variant === "less" ? "QOS_M" : "QOS_L",
      applicationServerPorts: { ports: [variant === "elsewhere" ? 443 : 3478] },
    }),
  nef: (device, variant) => {
    const ue = `10.45.${device >> 8}.${device & 255}`;
    const server = variant === "elsewhere" ? "198.51.100.8 443" : "198.51.100.7 3478";
    const flowDescriptions = [
      `permit in 17 from ${ue} 50000 to ${server}`,
      `permit out 17 from ${server} to ${ue} 50000`,
    ];
    const { notificationDestination: _own, ...body } = nefRequest("", {
      ueIpv4Addr: ue,
      flowInfo: [{ flowId: 1, flowDescriptions }],
      qosReference: variant === "less" ? "conv-audio" : "conv-video",
    });
    return body;
  },
  "rtc-af": (device, variant) => {
    const sessionId = `session-${device}/link`;
    if (device % 2 === 1) return { ...assistanceRequest(), sessionId };
    const policyTemplateId = variant === "less" ? "conv-audio" : "conv-video";
    return policyRequest({ sessionId, policyTemplateId });
  },
};

export const bodyFor = (api: AssistanceApi, device: number, variant: Variant): NetworkBody =>
  MAKERS[api](device, variant);
