import type { NetworkMock } from "../../network-mock/mock.ts";

/** Calls a network's APIs as a client of its own would, and nothing more. */

export interface Said {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a network says; tests look at its members
  readonly body: any;
}

export interface CallOptions {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
}

export type NetworkCall = (
  method: string,
  path: string,
  body?: unknown,
  options?: CallOptions,
) => Promise<Said>;

export const QOD = "/quality-on-demand/v1";
export const PROFILES = "/qos-profiles/v1";
export const NEF = "/3gpp-as-session-with-qos/v1/duplex/subscriptions";
export const AF = "/3gpp-maf-session-handling/v1/provisioning-sessions/call";
export const MERGE_PATCH = "application/merge-patch+json";

export async function tokenOf({ url }: NetworkMock, scope?: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: "duplex",
    client_secret: "network-mock",
    ...(scope === undefined ? {} : { scope }),
  });
  const response = await fetch(`${url}/oauth2/token`, { method: "POST", body: form });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

export async function callerAt(mock: NetworkMock): Promise<NetworkCall> {
  const own = await tokenOf(mock);
  return async (method, path, body, { type = "application/json", headers, token = own } = {}) => {
    const response = await fetch(mock.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": type }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
  };
}

/** A session of quality on demand; each port is another device. */
export const qodRequest = (port: number, more: object = {}) => ({
  device: { ipv4Address: { publicAddress: "203.0.113.9", publicPort: port } },
  applicationServer: { ipv4Address: "198.51.100.7" },
  applicationServerPorts: { ports: [3478] },
  qosProfile: "QOS_L",
  duration: 60,
  ...more,
});

export const sinkOf = (sink: string, token = "sink-token") => ({
  sink,
  sinkCredential: {
    credentialType: "ACCESSTOKEN",
    accessToken: token,
    accessTokenType: "bearer",
    accessTokenExpiresUtc: new Date(Date.now() + 3_600_000).toISOString(),
  },
});

export const nefRequest = (notificationDestination: string, more: object = {}) => ({
  notificationDestination,
  ueIpv4Addr: "10.45.0.2",
  flowInfo: [
    {
      flowId: 1,
      flowDescriptions: [
        "permit in 17 from 10.45.0.2 50000 to 198.51.100.7 3478",
        "permit out 17 from 198.51.100.7 3478 to 10.45.0.2 50000",
      ],
    },
  ],
  qosReference: "conv-video",
  altQoSReferences: ["conv-video-half"],
  events: [
    "QOS_GUARANTEED",
    "QOS_NOT_GUARANTEED",
    "SUCCESSFUL_RESOURCES_ALLOCATION",
    "FAILED_RESOURCES_ALLOCATION",
    "SESSION_TERMINATION",
  ],
  ...more,
});

const rates = (maximum: string) => ({
  maximumRequestedBitRate: maximum,
  minimumDesiredBitRate: "500 Kbps",
  minimumRequestedBitRate: "300 Kbps",
});

const FLOW = {
  filterMethod: "5_TUPLE",
  packetFilter: {
    direction: "UPLINK",
    sourceAddress: { ipv4Addr: "10.45.0.2" },
    destinationAddress: { ipv4Addr: "198.51.100.7" },
    protocolNumber: 17,
    sourcePort: 50_000,
    destinationPort: 3478,
  },
  mediaType: "VIDEO",
};

const QOS = { downlinkBitRates: rates("2500 Kbps"), uplinkBitRates: rates("2 Mbps") };

export const policyRequest = (more: object = {}) => ({
  sessionId: "call-1",
  policyTemplateId: "conv-video",
  applicationFlowBindings: [
    { componentReference: "0", applicationFlowDescription: FLOW, qosSpecification: QOS },
  ],
  ...more,
});

export const assistanceRequest = () => ({
  sessionId: "call-1",
  applicationFlowDescription: FLOW,
  requestedQoS: QOS,
});
