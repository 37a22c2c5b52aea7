import type { Continuation, Continued } from "../continued.ts";
import type { Description } from "../description.ts";
import { credentialsOf, digestOf, type HistorySubject, liveSections } from "../history.ts";
import { certificatesOf, sharesCertificates } from "../inherited.ts";
import { once } from "../notes.ts";
import { at, type HistoryRule, type Hit, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";

/** The sections in use by their credentials; of several with the same the last. */
const byCredentials = once(
  (description: Description): ReadonlyMap<string, Section> =>
    new Map(liveSections(description).map((section) => [credentialsOf(section), section])),
);

/**
 * Sections whose ICE credentials no transport of the pair in force has: they restart ICE. Compared with all
 * of them, since a section that is bundled meanwhile goes over to the credentials of its group.
 */
function restarted(sections: readonly Section[], known: Description): readonly Section[] {
  const before = byCredentials(known);
  return sections.filter((section) => !before.has(credentialsOf(section)));
}

/** Half of the credentials is that of a transport in force, the other half is not. */
function halfChanged({ description, before }: HistorySubject): readonly Section[] {
  if (!before) return [];
  const sections = restarted(liveSections(description), before.own).filter(
    ({ iceUfrag, icePwd }) => iceUfrag && icePwd,
  );
  if (sections.length === 0) return [];
  const known = liveSections(before.own);
  const ufrags = new Set(known.map(({ iceUfrag }) => iceUfrag));
  const passwords = new Set(known.map(({ icePwd }) => icePwd));
  return sections.filter(({ iceUfrag, icePwd }) => ufrags.has(iceUfrag) !== passwords.has(icePwd));
}

/** Indexes of the sections in use whose ICE the open offer restarts. */
function offeredRestarts({ offer, before }: HistorySubject): ReadonlySet<number> {
  if (!offer || !before) return new Set();
  return new Set(restarted(liveSections(offer), before.other).map(({ index }) => index));
}

/** Sections that go on, on the transport they had. */
function unrestarted(subject: Continuation): readonly Continued[] {
  const { before } = subject;
  if (!before) return [];
  const known = byCredentials(before.own);
  return subject.stillLive.filter(({ is }) => known.has(credentialsOf(is)));
}

const tlsIdOf = ({ attributes }: Section): string => attributes.get("tls-id")?.[0]?.value ?? "";

/** A DTLS association goes on as long as these are the same (RFC 8842 s4). */
const hasKeysOf = (one: Section, other: Section): boolean =>
  sharesCertificates(one, other) && tlsIdOf(one) === tlsIdOf(other);

function changedKeys(subject: HistorySubject): readonly Section[] {
  const { before, description } = subject;
  if (!before) return [];
  const known = byCredentials(before.own);
  return liveSections(description).filter((section) => {
    const was = known.get(credentialsOf(section));
    return was !== undefined && !hasKeysOf(was, section);
  });
}

/** DTLS role that the setup attributes of an answer give its sender. */
const roleOf = (setup: string | undefined): "client" | "server" | undefined =>
  setup === "active" ? "client" : setup === "passive" ? "server" : undefined;

const turned = (role: "client" | "server" | undefined) =>
  role === undefined ? undefined : role === "client" ? "server" : "client";

/** The sender's DTLS role so far: its own answer said so, or the other side's did. */
const roleBefore = (subject: HistorySubject, { was, across }: Continued) =>
  subject.before?.ownRole === "answer" ? roleOf(was.setup) : turned(roleOf(across?.setup));

function turnedRoles(subject: Continuation): readonly Hit[] {
  const restarts = offeredRestarts(subject);
  const tags = new Set(subject.description.bundles.map(([tag]) => tag));
  const bundled = new Set(subject.description.bundles.flat());
  return (
    unrestarted(subject)
      .filter(({ is }) => !restarts.has(is.index))
      // What others of a bundle say is not used (RFC 9143 s7.1.3), and Firefox says in a new one what it likes.
      .filter(({ is: { mid = "" } }) => tags.has(mid) || !bundled.has(mid))
      .filter((section) => {
        const was = roleBefore(subject, section);
        const is = roleOf(section.is.setup);
        return was !== undefined && is !== undefined && was !== is;
      })
      .map(({ is }) => at(is, "setup"))
  );
}

/** ICE and DTLS through the life of a connection: what no browser notices before media stop (RFC 8839 s4.4). */
export const HISTORY_KEY_RULES: readonly HistoryRule[] = [
  {
    id: "ice-partial-restart",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8839 s4.4.1.1.1",
    requirements: ["R10-3"],
    condition: "ice-ufrag changed and ice-pwd did not, or the reverse",
    message:
      "an ICE restart changes ice-ufrag and ice-pwd together; with half of it connectivity checks fail and media stop: use restartIce()",
    find: (subject) => halfChanged(subject).map((section) => at(section, "ice-ufrag")),
  },
  {
    id: "ice-restart-not-answered",
    on: "answer",
    level: "error",
    strict: "error",
    source: "RFC 9429 s5.10",
    requirements: ["R10-3"],
    condition: "the offer restarts ICE, the answer repeats its previous credentials",
    message:
      "the offer restarts ICE, so the answer needs new ice-ufrag and ice-pwd; make it with createAnswer() after the offer was applied",
    find: (subject) => {
      const restarts = offeredRestarts(subject);
      if (restarts.size === 0) return NO_HITS;
      return unrestarted(subject)
        .filter(({ is }) => restarts.has(is.index))
        .map(({ is }) => at(is, "ice-ufrag"));
    },
  },
  {
    id: "ice-restart-not-requested",
    on: "answer",
    level: "error",
    strict: "error",
    source: "RFC 9429 s5.10",
    requirements: ["R10-3"],
    condition: "the answer has new credentials, the offer did not restart ICE",
    message:
      "only an offer can restart ICE; reject this exchange and offer with restartIce(), or with a new connection",
    find: (subject) => {
      const { before, description } = subject;
      if (!before) return NO_HITS;
      const fresh = restarted(liveSections(description), before.own);
      if (fresh.length === 0) return NO_HITS;
      const restarts = offeredRestarts(subject);
      const inUse = new Set(
        before.own.sections
          .filter(
            ({ rejected, index }) => !rejected && before.other.sections[index]?.rejected === false,
          )
          .map(({ index }) => index),
      );
      return fresh
        .filter(({ index, iceUfrag }) => iceUfrag && inUse.has(index) && !restarts.has(index))
        .map((section) => at(section, "ice-ufrag"));
    },
  },
  {
    id: "ice-credentials-reused",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8839 s5.4",
    condition: "a restart or a new connection uses credentials that this side had before",
    message:
      "ICE credentials are random for every restart; old ones let late packets of the old path in",
    find: (subject) => {
      const { sender, receiver, legs } = subject;
      const fresh = liveSections(subject.description);
      const sections = subject.before ? restarted(fresh, subject.before.own) : fresh;
      if (sections.length === 0) return NO_HITS;
      const earlier = legs.filter(({ peer, to }) => peer === sender.id && to === receiver.id);
      const known = new Set(
        [subject.marks, ...earlier.map(({ marks }) => marks)].flatMap((marks) => marks.credentials),
      );
      return sections
        .filter((section) => known.has(digestOf(credentialsOf(section))))
        .map((section) => at(section, "ice-ufrag"));
    },
  },
  {
    id: "fingerprint-changed-without-restart",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8842 s4, RFC 9429 s5.8.3",
    requirements: ["R4.2-6", "R13-1"],
    condition: "another certificate or tls-id on a transport whose ICE goes on",
    message:
      "the certificate changed under a running connection: somebody may be in the middle, or two connections were mixed up; make the offer with the connection that made the last one",
    find: (subject) => changedKeys(subject).map((section) => at(section, "fingerprint")),
  },
  {
    id: "fingerprint-changed",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8842 s4",
    requirements: ["R4.2-6", "R13-1"],
    condition: "another certificate together with new ICE credentials",
    message:
      "a new certificate: this side has a new connection (a page that was loaded again has); the other side must make a new one too",
    find: ({ description, before }) => {
      if (!before) return NO_HITS;
      const fresh = restarted(liveSections(description), before.own);
      if (fresh.length === 0) return NO_HITS;
      const known = new Set(liveSections(before.own).map(certificatesOf));
      const first = fresh.find(
        (section) => section.fingerprints.length > 0 && !known.has(certificatesOf(section)),
      );
      return first ? [at(first, "fingerprint")] : NO_HITS;
    },
  },
  {
    id: "dtls-role-changed",
    on: "answer",
    level: "error",
    strict: "error",
    source: "RFC 8842 s5.3",
    requirements: ["R4.2-6"],
    condition: "setup gives the answerer the other DTLS role while the association goes on",
    message:
      "client and server of a DTLS association never change places; repeat the role you have",
    find: (subject) => [...turnedRoles(subject)],
  },
];
