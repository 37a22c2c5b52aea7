import type { Kind } from "./flow.ts";
import { type Problem, problem } from "./problem.ts";
import { type Description, readDescription } from "./sdp/description.ts";
import { isFinding, type SdpFinding } from "./sdp/finding.ts";
import { pairFindings } from "./sdp/pair.ts";
import type { Peer, Session, StoredDescription } from "./session.ts";

/** A description as the server understands it before it is forwarded (D1, A2). */
export interface Assessment {
  /** Absent when it cannot be read and the policy is to report. */
  readonly description?: Description;
  readonly findings: readonly SdpFinding[];
}

/** What was read from a stored text, remembered as long as the text is: a cache that can be rebuilt. */
const readings = new WeakMap<StoredDescription, Description | SdpFinding>();

/** Reads a stored description, once. */
export function reading(stored: StoredDescription): Description | SdpFinding {
  const known = readings.get(stored);
  if (known) return known;
  const read = readDescription(stored.sdp);
  readings.set(stored, read);
  return read;
}

/** The description, or undefined when it cannot be read. */
export function readable(stored: StoredDescription | undefined): Description | undefined {
  if (!stored) return undefined;
  const read = reading(stored);
  return isFinding(read) ? undefined : read;
}

/**
 * Assesses an offer, or an answer against its offer.
 *
 * Problems: `sdp-too-large`; `sdp-invalid` with `finding` where the policy is `enforce`;
 * `not-permitted` when the description would send or receive a kind that the token does not grant.
 */
export function assess(
  session: Session,
  sender: Peer,
  stored: StoredDescription,
  offer?: StoredDescription,
): Assessment | Problem {
  const role = offer ? "answer" : "offer";
  const read = reading(stored);
  if (isFinding(read)) return refuseOrReport(session, [{ ...read, description: role }]);
  const ungranted = firstUngranted(read, sender);
  if (ungranted) return ungranted;
  const offered = readable(offer);
  const findings = offered ? pairFindings(offered, read) : [];
  const outcome = refuseOrReport(session, findings);
  return "code" in outcome ? outcome : { ...outcome, description: read };
}

function refuseOrReport(session: Session, findings: readonly SdpFinding[]): Assessment | Problem {
  const error = findings.find(({ level }) => level === "error");
  if (!error) return { findings };
  if (error.rule === "sdp-too-large") {
    return problem("sdp-too-large", error.message, { finding: error });
  }
  if (session.config.sdpPolicy === "report") return { findings };
  return problem("sdp-invalid", error.message, { finding: error });
}

/** A description may send only what its peer may publish, and receive only what it may subscribe (A2). */
function firstUngranted(description: Description, sender: Peer): Problem | undefined {
  for (const section of description.sections) {
    if (section.rejected) continue;
    const refused = ungrantedIn(section, sender);
    if (!refused) continue;
    return problem("not-permitted", `the token does not grant to ${refused.act} ${refused.kind}`, {
      ...refused,
      mLine: section.index,
      ...(section.mid === undefined ? {} : { mid: section.mid }),
    });
  }
  return undefined;
}

function ungrantedIn(
  section: Description["sections"][number],
  { publish, subscribe }: Peer,
): { act: "publish" | "subscribe"; kind: Kind } | undefined {
  const { kind, direction } = section;
  if (kind === "application") {
    return publish.includes("data") ? undefined : { act: "publish", kind: "data" };
  }
  if (kind !== "audio" && kind !== "video") return undefined;
  const sends = direction === "sendrecv" || direction === "sendonly";
  if (sends && !publish.includes(kind)) return { act: "publish", kind };
  const receives = direction === "sendrecv" || direction === "recvonly";
  if (receives && !subscribe.includes(kind)) return { act: "subscribe", kind };
  return undefined;
}
