import { z } from "zod";

/**
 * Transports as records: one ICE and DTLS association of a link, over which its bundled flows run (F6).
 */

export const Address = z.object({ address: z.string(), port: z.int() });
export type Address = z.infer<typeof Address>;

export const FiveTuple = z.object({
  peer: z.string().describe("written from the interface of this peer (F5)"),
  component: z
    .literal("rtcp")
    .optional()
    .describe("of the RTCP component, where RTP and RTCP are not multiplexed (RFC 5761)"),
  protocol: z.string(),
  local: Address.partial(),
  remote: Address.partial(),
  relay: z
    .object({
      relayed: Address.partial(),
      remote: Address.partial(),
      protocol: z.string().optional().describe("protocol between the peer and its TURN server"),
    })
    .optional()
    .describe("the hop beyond the TURN server, when the local candidate is a relay"),
});
export type FiveTuple = z.infer<typeof FiveTuple>;

/** One end of a selected pair, with the names of RTCIceCandidateStats (W3C webrtc-stats). */
export const PairEnd = z.object({
  candidateType: z.enum(["host", "srflx", "prflx", "relay"]),
  address: z.string().max(255).nullish(),
  port: z.int().min(0).max(65_535).nullish(),
  protocol: z.string().max(16).nullish(),
  relayProtocol: z.string().max(16).nullish(),
  url: z.string().max(512).nullish(),
  relatedAddress: z.string().max(255).nullish(),
  relatedPort: z.int().min(0).max(65_535).nullish(),
  usernameFragment: z.string().max(256).nullish().describe("tells the ICE generation"),
});
export type PairEnd = z.infer<typeof PairEnd>;

export const SelectedPair = z.object({ local: PairEnd, remote: PairEnd }).meta({ id: "Pair" });
export type SelectedPair = z.infer<typeof SelectedPair>;

export const TransportState = z.enum([
  "new",
  "checking",
  "connected",
  "disconnected",
  "failed",
  "closed",
]);
export type TransportState = z.infer<typeof TransportState>;

/** What DTLS came to, with the names of RTCTransportStats (W3C webrtc-stats). */
export const DtlsReport = z.object({
  srtpCipher: z.string().max(64).optional(),
  tlsVersion: z.string().max(16).optional(),
  dtlsCipher: z.string().max(64).optional(),
});
export type DtlsReport = z.infer<typeof DtlsReport>;

/** An ICE server that failed a peer, with the names of RTCPeerConnectionIceErrorEvent (W3C webrtc-pc 4.9.2). */
export const IceError = z.object({
  code: z
    .int()
    .min(300)
    .max(799)
    .describe("the server's answer (RFC 8656 s19), or 701: it was not reached"),
  url: z.string().max(256).optional().describe("of the server, as it was configured"),
  lookup: z.literal(true).optional().describe("the name of the server could not be resolved"),
});
export type IceError = z.infer<typeof IceError>;

/** Of one report. */
export const IceErrors = z
  .array(IceError)
  .max(8)
  .describe("ICE servers that failed, each once; told while there is no path");
export type IceErrors = z.infer<typeof IceErrors>;

export const CandidateCounts = z.object({
  host: z.int(),
  srflx: z.int(),
  prflx: z.int(),
  relay: z.int(),
});
export type CandidateCounts = z.infer<typeof CandidateCounts>;

const IceEnd = z.object({
  ufrag: z.string().optional().describe("in force; the password is never recorded"),
  lite: z.literal(true).optional().describe("an ICE-lite agent (RFC 8445 s2.7)"),
});

const Dtls = z.object({
  client: z.string().optional(),
  server: z.string().optional(),
  fingerprints: z
    .record(z.string(), z.array(z.string()))
    .optional()
    .describe("per peer, `sha-256 AB:CD:...` in the form of RFC 8122 s5"),
  srtpProfile: z.string().optional().describe("as an end reports it (srtpCipher)"),
  tlsVersion: z.string().optional().describe("as an end reports it, in hexadecimal"),
  cipher: z.string().optional().describe("of DTLS, as an end reports it"),
});

export const Transport = z
  .object({
    id: z.string(),
    revision: z.int(),
    link: z.string(),
    mids: z.array(z.string()),
    iceGeneration: z.int(),
    restartingSince: z
      .number()
      .optional()
      .describe(
        "ICE was restarted then, milliseconds since 1970, and no pair has been reported since",
      ),
    associatedAt: z
      .number()
      .optional()
      .describe("when the answer came that began this DTLS association, milliseconds since 1970"),
    ice: z.record(z.string(), IceEnd).describe("per peer"),
    rtcpMux: z.boolean(),
    rtpSession: z
      .string()
      .describe(
        "one space of SSRCs: the id of the transport, or of the one that a relay makes one session with",
      ),
    dtls: Dtls.describe("which peer is the DTLS client and which the server, once answered"),
    state: TransportState,
    since: z.number().describe("when it entered this state, milliseconds since 1970"),
    reason: z.string().optional().describe("of a disconnected or failed transport, as reported"),
    candidates: z.record(z.string(), CandidateCounts).describe("per peer, counts by type"),
    selectedPair: z.record(z.string(), SelectedPair).optional().describe("per reporting peer"),
    fiveTuples: z
      .array(FiveTuple)
      .describe("one per reporting peer, and one more for RTCP where it is not multiplexed"),
  })
  .meta({ id: "Transport" });
/** The record of a transport: its state, its pair and 5-tuples, and the sections it carries. */
export type Transport = z.infer<typeof Transport>;
