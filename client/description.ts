/** What the SDK reads from SDP itself, and how it moves a connection back and forth between descriptions. */

const FINGERPRINT = /^a=fingerprint:\S+ (\S+)/gim;
const UFRAG = /^a=ice-ufrag:(\S+)/gim;

function valuesOf(sdp: string, line: RegExp): Set<string> {
  return new Set([...sdp.matchAll(line)].map((match) => (match[1] ?? "").toUpperCase()));
}

/**
 * True when two descriptions of one peer come from different RTCPeerConnections: each makes a certificate of
 * its own, so they have no DTLS fingerprint in common (RFC 8122). The peer loaded its page again.
 */
export function isOtherConnection(known: string | undefined, sdp: string): boolean {
  if (known === undefined) return false;
  const before = valuesOf(known, FINGERPRINT);
  const now = valuesOf(sdp, FINGERPRINT);
  return before.size > 0 && now.size > 0 && ![...now].some((print) => before.has(print));
}

/** The ICE user fragments of a description: its generation, one per transport (RFC 8839 5.4). */
export function ufragsOf(sdp: string): Set<string> {
  return new Set([...sdp.matchAll(UFRAG)].map((match) => match[1] ?? ""));
}

/** The ICE generation that a candidate's text names; undefined in browsers that do not write it there. */
export function ufragIn(candidate: string): string | undefined {
  return / ufrag (\S+)/.exec(candidate)?.[1];
}

/** True when two descriptions of one peer have no ICE generation in common. */
function restartsIce(known: string, sdp: string): boolean {
  const before = ufragsOf(known);
  return ![...ufragsOf(sdp)].some((ufrag) => before.has(ufrag));
}

/** False for a description that has nothing to agree on. */
export function hasSections(sdp: string): boolean {
  return /^m=/m.test(sdp);
}

/** Gives up the description that is pending; true when there was one. */
export async function rollBack(connection: RTCPeerConnection): Promise<boolean> {
  if (connection.signalingState === "have-local-offer") {
    await connection.setLocalDescription({ type: "rollback" });
    return true;
  }
  if (connection.signalingState === "have-remote-offer") {
    await connection.setRemoteDescription({ type: "rollback" });
    return true;
  }
  return false;
}

/**
 * Applies an offer that is in force: one of this side's own gives way (RFC 9429 4.1.10.2). True when it restarts
 * ICE.
 */
export async function setRemoteOffer(connection: RTCPeerConnection, sdp: string): Promise<boolean> {
  const known = connection.remoteDescription?.sdp;
  try {
    await connection.setRemoteDescription({ type: "offer", sdp });
  } catch (error) {
    if (connection.signalingState !== "have-local-offer") throw error;
    await rollBack(connection);
    await connection.setRemoteDescription({ type: "offer", sdp });
  }
  return known !== undefined && restartsIce(known, sdp);
}

/** The ids of tracks that sections name (RFC 8830), by mid. */
export function tracksIn(sdp: string): ReadonlyMap<string, string | undefined> {
  const sections = sdp.split(/^(?=m=)/m).slice(1);
  return new Map(
    sections.map((section) => [
      /^a=mid:(\S+)/m.exec(section)?.[1] ?? "",
      /^a=msid:\S+ (\S+)/m.exec(section)?.[1],
    ]),
  );
}
