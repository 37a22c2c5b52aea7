import type { Fingerprint } from "./grammar.ts";
import type { Lined } from "./section.ts";

/** Attributes of the transport, which bundled sections share (RFC 9143 s7.1.3). */
export interface TransportAttributes {
  readonly iceUfrag: string | undefined;
  readonly icePwd: string | undefined;
  /** All of them: RFC 8122 s5 allows several. */
  readonly fingerprints: readonly Lined<Fingerprint>[];
  readonly setup: string | undefined;
  /** `a=rtcp-mux`; `a=rtcp-mux-only` alone does not count (RFC 8858). */
  readonly rtcpMux: boolean;
  readonly rtcpRsize: boolean;
}

/** What is missing is taken from a wider scope: the session part, or the tagged section of the bundle. */
export function inherit(own: TransportAttributes, wider: TransportAttributes): TransportAttributes {
  return {
    iceUfrag: own.iceUfrag ?? wider.iceUfrag,
    icePwd: own.icePwd ?? wider.icePwd,
    fingerprints: own.fingerprints.length > 0 ? own.fingerprints : wider.fingerprints,
    setup: own.setup ?? wider.setup,
    rtcpMux: own.rtcpMux || wider.rtcpMux,
    rtcpRsize: own.rtcpRsize || wider.rtcpRsize,
  };
}

/** Whether there is anything to take: most sections say all themselves. */
export const lacksOf = (own: TransportAttributes, wider: TransportAttributes): boolean =>
  own.iceUfrag === undefined ||
  own.icePwd === undefined ||
  own.fingerprints.length === 0 ||
  own.setup === undefined ||
  own.rtcpMux !== wider.rtcpMux ||
  own.rtcpRsize !== wider.rtcpRsize;
