import type { Section } from "../sdp/section.ts";
import type { Transport, TransportState } from "../transport.ts";
import { type AgreedPair, type AgreedSection, agreedSections } from "./agreed-pair.ts";
import { type Bundle, bundlesOf, transportOf } from "./bundle.ts";
import { bundleCounts, type Candidates } from "./candidate-counts.ts";
import { labelOf, newTransportId } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { dtlsCertificates, iceEnds } from "./transport-ends.ts";
import { stated } from "./transport-state.ts";

/** A section and the transport it runs on. */
export interface Placement {
  readonly section: AgreedSection;
  readonly transport: Transport;
}

/** The transports after an answer. */
export interface TransportAgreement {
  readonly transports: readonly Transport[];
  /** What runs on each, in the order of the m-sections. */
  readonly placements: readonly Placement[];
  /** Ids of transports with a new DTLS association. */
  readonly renewed: ReadonlySet<string>;
}

/** What the event knows. */
export interface Agreement {
  readonly context: FlowContext;
  readonly before: LinkFlows;
  readonly pair: AgreedPair;
  readonly previous: AgreedPair | undefined;
  readonly candidates: Candidates;
}

/** Transports by the BUNDLE groups of the answer (RFC 9143 s7.3); those that lost all sections close. */
export function agreeTransports(
  agreement: Agreement,
  sections: readonly AgreedSection[],
): TransportAgreement {
  const { context, before, pair } = agreement;
  const placements: Placement[] = [];
  const renewed = new Set<string>();
  const made = new Map<string, Transport>();
  for (const bundle of bundlesOf(pair.answer, sections)) {
    const known = transportOf(before, bundle, new Set(made.keys()));
    const change = known ? changeSince(agreement, bundle, known) : UNCHANGED;
    const transport = transportRecord(agreement, bundle, known, change);
    made.set(transport.id, transport);
    if (change.isNewAssociation) renewed.add(transport.id);
    placements.push(...bundle.map((section) => ({ section, transport })));
  }
  const kept = before.transports.map(
    (transport) => made.get(transport.id) ?? stated(context, transport, "closed"),
  );
  const keptIds = new Set(kept.map(({ id }) => id));
  const added = [...made.values()].filter(({ id }) => !keptIds.has(id));
  return {
    transports: [...kept, ...added],
    placements: placements.toSorted((one, other) => one.section.index - other.section.index),
    renewed,
  };
}

interface TransportChange {
  /** RFC 8445 s9: both ufrag and password of an agent changed. */
  readonly isRestart: boolean;
  /** RFC 8842 s5.5: other fingerprints mean another DTLS association. */
  readonly isNewAssociation: boolean;
}

const UNCHANGED: TransportChange = { isRestart: false, isNewAssociation: false };

const BLANK = {
  revision: 0,
  iceGeneration: 0,
  state: "new",
  mids: [],
  rtcpMux: true,
  dtls: {},
  candidates: {},
  fiveTuples: [],
  ice: {},
} satisfies Partial<Transport>;

function transportRecord(
  { context, before, pair, candidates }: Agreement,
  bundle: Bundle<AgreedSection>,
  known: Transport | undefined,
  { isRestart, isNewAssociation }: TransportChange,
): Transport {
  const rtp = bundle.filter(({ kind }) => kind !== "data");
  // Named as its flows were when they were proposed: after the offer.
  const newId = newTransportId(context, before, bundle[0].offered);
  const base: Transport = known ?? {
    ...BLANK,
    id: newId,
    link: context.link,
    rtpSession: newId,
    associatedAt: context.at,
    since: context.at,
  };
  const isOtherPath = isRestart || isNewAssociation;
  const { selectedPair, ...path } = stated(
    context,
    base,
    stateAfter(base.state, { isRestart, isNewAssociation }),
  );
  // Data alone has no RTCP, thus one component as with rtcp-mux.
  const rtcpMux = rtp.every(({ offered, answered }) => offered.rtcpMux && answered.rtcpMux);
  return {
    ...path,
    iceGeneration: path.iceGeneration + (isRestart ? 1 : 0),
    ...(isRestart ? { restartingSince: context.at } : {}),
    ...(isNewAssociation ? { associatedAt: context.at } : {}),
    mids: bundle.map(labelOf),
    rtcpMux,
    // Roles and ciphers are those of the association, as long as it lasts (RFC 8842 s5.1).
    dtls: {
      ...(isNewAssociation ? {} : path.dtls),
      ...dtlsRoles(context, pair, bundle[0]),
      ...dtlsCertificates(context, pair, bundle[0]),
    },
    ice: iceEnds(context, pair, bundle[0]),
    candidates: bundleCounts(context.peers, candidates, bundle),
    ...(selectedPair && !isOtherPath ? { selectedPair } : {}),
    fiveTuples: path.fiveTuples.filter(({ component }) => !isOtherPath && !(rtcpMux && component)),
  };
}

/** What failed is tried anew by a restart; otherwise the old path counts until a new one is reported. */
function stateAfter(
  state: TransportState,
  { isRestart, isNewAssociation }: TransportChange,
): TransportState {
  if (isNewAssociation) return "new";
  return isRestart && state === "failed" ? "checking" : state;
}

/** RFC 4145 s4.1 and RFC 8842 s5: `active` is the DTLS client, also where only the offer decides. */
function dtlsRoles(
  { peers }: FlowContext,
  { offerer }: AgreedPair,
  { offered, answered }: AgreedSection,
): Transport["dtls"] {
  const answerer = peers[0] === offerer ? peers[1] : peers[0];
  if (answered.setup === "active") return { client: answerer, server: offerer };
  if (answered.setup === "passive") return { client: offerer, server: answerer };
  if (offered.setup === "active") return { client: offerer, server: answerer };
  return offered.setup === "passive" ? { client: answerer, server: offerer } : {};
}

/** Compares the effective attributes of the tagged sections, then and now, of both peers. */
function changeSince(
  { context, pair, previous }: Agreement,
  bundle: Bundle<AgreedSection>,
  known: Transport,
): TransportChange {
  const carried = bundle.find((section) => known.mids.includes(labelOf(section)));
  const formerly = previous && carried && formerBundles(previous).get(labelOf(carried));
  if (!previous || !formerly) return UNCHANGED;
  const sides = context.peers.map((peer) => ({
    old: sideOf(previous, formerly[0], peer),
    now: sideOf(pair, bundle[0], peer),
  }));
  return {
    isRestart: sides.some(({ old, now }) => hasNewCredentials(old, now)),
    isNewAssociation: sides.some(({ old, now }) => fingerprintsOf(old) !== fingerprintsOf(now)),
  };
}

/** Every transport asks where its sections were before: the pair is looked through once. */
const FORMER = new WeakMap<AgreedPair, ReadonlyMap<string, Bundle<AgreedSection>>>();

function formerBundles(previous: AgreedPair): ReadonlyMap<string, Bundle<AgreedSection>> {
  const known = FORMER.get(previous);
  if (known) return known;
  const bundles = bundlesOf(previous.answer, agreedSections(previous));
  const byLabel = new Map(
    bundles.flatMap((bundle) => bundle.map((member) => [labelOf(member), bundle] as const)),
  );
  FORMER.set(previous, byLabel);
  return byLabel;
}

const sideOf = ({ offerer }: AgreedPair, { offered, answered }: AgreedSection, peer: string) =>
  peer === offerer ? offered : answered;

const hasNewCredentials = (old: Section, now: Section): boolean =>
  old.iceUfrag !== now.iceUfrag && old.icePwd !== now.icePwd;

/** Those of the session part are those of every section. */
const FINGERPRINTS = new WeakMap<Section["fingerprints"], string>();

function fingerprintsOf({ fingerprints }: Section): string {
  const known = FINGERPRINTS.get(fingerprints);
  if (known !== undefined) return known;
  const text = fingerprints
    .map(({ hash, value }) => `${hash} ${value}`)
    .toSorted()
    .join();
  FINGERPRINTS.set(fingerprints, text);
  return text;
}
