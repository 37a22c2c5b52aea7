import { isIPv6 } from "node:net";
import { RTCPeerConnection } from "werift";
import type { IceServer } from "../../protocol/ice-server.ts";
import type { SelectedPair, TransportState } from "../../protocol/transport.ts";
import { offeredCodecs, offeredExtensions } from "./codecs.ts";
import type { Settings } from "./settings.ts";

/** Longer than this, and the answer to a WHIP client would come too late. */
const GATHERING_SECONDS = 2;

/** werift asks a public STUN server where it is told none: nobody answers at this one, and soon. */
const NO_STUN = { urls: "stun:127.0.0.1:9" };
const NO_STUN_SECONDS = 0.05;

const serverOf = ({ urls, username, credential }: IceServer) => ({
  urls,
  ...(username === undefined ? {} : { username }),
  ...(credential === undefined ? {} : { credential }),
});

/** A connection that gathers on the given address, over UDP. */
export function openConnection(
  { address, udpPorts, direct }: Settings,
  iceServers: readonly IceServer[],
): RTCPeerConnection {
  const used = direct ? [] : iceServers;
  return new RTCPeerConnection({
    codecs: offeredCodecs(),
    headerExtensions: offeredExtensions(),
    bundlePolicy: "max-bundle",
    iceServers: used.length === 0 ? [NO_STUN] : used.map(serverOf),
    iceInterfaceAddresses: isIPv6(address) ? { udp6: address } : { udp4: address },
    // Loopback is gathered only when it is named.
    iceAdditionalHostAddresses: [address],
    iceUseIpv4: !isIPv6(address),
    iceUseIpv6: isIPv6(address),
    // werift gathers on other addresses too; its sockets are bound to this one all the same.
    iceFilterCandidatePair: ({ protocol: { localCandidate } }) =>
      localCandidate?.type !== "host" || localCandidate.host === address,
    iceUseTcp: false,
    iceStunGatherTimeout: used.length === 0 ? NO_STUN_SECONDS : GATHERING_SECONDS,
    iceTurnConnectTimeout: GATHERING_SECONDS,
    icePortRange: udpPorts && [...udpPorts],
  });
}

/** A description as peers are to see it: with one host candidate, of the announced address. */
export function announced(sdp: string, { address, announcedAddress }: Settings): string {
  return (
    sdp
      .split(/(?<=\n)/)
      .filter((line) => !/^a=candidate:.* typ host/.test(line) || line.includes(` ${address} `))
      .map((line) =>
        line.startsWith("a=candidate:")
          ? line.replace(` ${address} `, ` ${announcedAddress} `)
          : line,
      )
      .join("")
      // werift leaves a blank behind the last layer, which RFC 8853 s5.1 has no room for.
      .replace(/^(a=simulcast:.*?) +(?=\r?$)/gm, "$1")
  );
}

/**
 * Begins the checks of a restart: werift begins them only where DTLS is still to come, and until they begin it lets checks
 * of the other side wait. A transport that has gathered is "completed", though nothing is nominated.
 */
export function checkAgain({ dtlsTransports }: RTCPeerConnection): void {
  for (const { state, iceTransport } of dtlsTransports) {
    const isIdle = iceTransport.state === "new" || iceTransport.state === "completed";
    if (state !== "connected" || !isIdle || iceTransport.connection.nominated) continue;
    iceTransport.start().catch(() => {});
  }
}

/** werift's word for it, as the protocol has it. */
export function transportState({
  connectionState,
  iceConnectionState,
  dtlsTransports,
}: RTCPeerConnection): TransportState {
  // The other side said goodbye (RFC 8446 s6.1): werift leaves the connection as it was.
  if (dtlsTransports.some(({ state }) => state === "closed")) return "closed";
  if (connectionState === "connecting") return "checking";
  const settled = connectionState === "connected" || connectionState === "new";
  return settled && iceConnectionState === "disconnected" ? "disconnected" : connectionState;
}

type Candidate = NonNullable<
  RTCPeerConnection["iceTransports"][number]["connection"]["nominated"]
>["remoteCandidate"];

const pairEnd = ({ type, host, port, transport, relatedAddress, relatedPort }: Candidate) => ({
  candidateType: type as "host" | "srflx" | "prflx" | "relay",
  address: host,
  port,
  protocol: transport,
  ...(relatedAddress === undefined ? {} : { relatedAddress }),
  ...(relatedPort === undefined ? {} : { relatedPort }),
});

/** The pair of candidates in use, with what `getStats` would tell of it. */
export function selectedPair({ iceTransports }: RTCPeerConnection): SelectedPair | undefined {
  const nominated = iceTransports[0]?.connection.nominated;
  return (
    nominated && {
      local: pairEnd(nominated.protocol.localCandidate as Candidate),
      remote: pairEnd(nominated.remoteCandidate),
    }
  );
}
