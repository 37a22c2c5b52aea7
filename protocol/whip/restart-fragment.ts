import { type Problem, problem } from "../problem.ts";
import { type Description, readDescription } from "../sdp/description.ts";
import { isFinding } from "../sdp/finding.ts";
import type { Section } from "../sdp/section.ts";

/** What both sides keep for the life of the session is said again as in the answer (RFC 9725 s4.3.3). */
const KEPT = ["ice-lite", "ice-options", "ice-pacing"];

/**
 * The body that answers an ICE restart, made of the whole answer of the other side: its credentials at the level where
 * the answer has them, and its candidates in one pseudo section, that of the transport all media share. There
 * are no more candidates: the server has no way to send any (RFC 9725 s4.3.2).
 *
 * Problem: `sdp-invalid` when the answer has no section with ICE credentials.
 */
export function restartFragment(answer: string): string | Problem {
  const description = readDescription(answer);
  if (isFinding(description)) return unusable();
  const section = taggedSection(description);
  if (!section?.iceUfrag || !section.icePwd) return unusable();
  const { session, live } = description;
  const kept = KEPT.flatMap((name) =>
    (session.attributes.get(name) ?? section.attributes.get(name) ?? []).map(({ value }) =>
      value === "" ? `a=${name}` : `a=${name}:${value}`,
    ),
  );
  const credentials = [`a=ice-ufrag:${section.iceUfrag}`, `a=ice-pwd:${section.icePwd}`];
  const atSession = !section.attributes.has("ice-ufrag");
  // Some stacks repeat the candidates of the bundle in each of its sections.
  const candidates = new Set(
    live.flatMap((each) => each.candidates.map(({ text }) => `a=candidate:${text}`)),
  );
  return [
    ...kept,
    ...(atSession ? credentials : []),
    `m=${section.kind} 9 ${section.protocol} ${section.formats[0] ?? 0}`,
    ...(section.mid === undefined ? [] : [`a=mid:${section.mid}`]),
    ...(atSession ? [] : credentials),
    ...candidates,
    "a=end-of-candidates",
    "",
  ].join("\r\n");
}

const unusable = (): Problem =>
  problem("sdp-invalid", "the answer has no section with ICE credentials");

/** The section whose transport the bundle uses (RFC 9143 s7): the first of its group that is in use. */
function taggedSection({ bundles, live }: Description): Section | undefined {
  const [mids = []] = bundles;
  for (const mid of mids) {
    const tagged = live.find((section) => section.mid === mid);
    if (tagged) return tagged;
  }
  return live[0];
}
