import type {
  CandidateRule,
  DescriptionRule,
  HistoryRule,
  PairRule,
  PolicyRule,
  RuleFacts,
} from "./rule.ts";
import { BANDWIDTH_RULES } from "./rules/bandwidth.ts";
import { BUNDLE_SHARING_RULES } from "./rules/bundle-sharing.ts";
import { CANDIDATE_LINE_RULES } from "./rules/candidates.ts";
import { CODEC_RULES } from "./rules/codecs.ts";
import { DATA_CHANNEL_RULES } from "./rules/data-channel.ts";
import { FINGERPRINT_RULES } from "./rules/fingerprints.ts";
import { FORMAT_RULES } from "./rules/formats.ts";
import { GROUPING_RULES } from "./rules/grouping.ts";
import { HEADER_EXTENSION_RULES } from "./rules/header-extensions.ts";
import { HINT_RULES } from "./rules/hints.ts";
import { HISTORY_SECTION_RULES } from "./rules/history.ts";
import { HISTORY_KEY_RULES } from "./rules/history-keys.ts";
import { HISTORY_NAMING_RULES } from "./rules/history-naming.ts";
import { HTTP_DOOR_RULES } from "./rules/http-doors.ts";
import { ICE_RULES } from "./rules/ice.ts";
import { KEYING_RULES } from "./rules/keying.ts";
import { NAMING_RULES } from "./rules/naming.ts";
import { PAIR_BUNDLE_RULES } from "./rules/pair-bundle.ts";
import { PAIR_DATA_CHANNEL_RULES } from "./rules/pair-data-channel.ts";
import { PAIR_FEEDBACK_RULES } from "./rules/pair-feedback.ts";
import { PAIR_FORMAT_RULES } from "./rules/pair-formats.ts";
import { PAIR_HEADER_EXTENSION_RULES } from "./rules/pair-header-extensions.ts";
import { PAIR_SECTION_RULES } from "./rules/pair-sections.ts";
import { PAIR_SIMULCAST_RULES } from "./rules/pair-simulcast.ts";
import { PAIR_SOURCE_RULES } from "./rules/pair-sources.ts";
import { PAIR_TRANSPORT_RULES } from "./rules/pair-transport.ts";
import { PARTY_RULES } from "./rules/parties.ts";
import { SESSION_POLICY_RULES } from "./rules/policy.ts";
import { RELAY_RULES } from "./rules/relays.ts";
import { RTCP_RULES } from "./rules/rtcp.ts";
import { SESSION_PART_RULES } from "./rules/session-part.ts";
import { SIMULCAST_RULES } from "./rules/simulcast.ts";
import { SOURCE_RULES } from "./rules/sources.ts";
import { SPELLING_RULES } from "./rules/spelling.ts";
import { TEXT_RULES } from "./rules/text.ts";
import { TRICKLE_RULES } from "./rules/trickle.ts";

/** Rules about one description. */
export const DESCRIPTION_RULES: readonly DescriptionRule[] = [
  ...TEXT_RULES,
  ...SESSION_PART_RULES,
  ...SPELLING_RULES,
  ...BANDWIDTH_RULES,
  ...GROUPING_RULES,
  ...BUNDLE_SHARING_RULES,
  ...DATA_CHANNEL_RULES,
  ...KEYING_RULES,
  ...FINGERPRINT_RULES,
  ...ICE_RULES,
  ...FORMAT_RULES,
  ...CODEC_RULES,
  ...RTCP_RULES,
  ...HEADER_EXTENSION_RULES,
  ...SOURCE_RULES,
  ...NAMING_RULES,
  ...SIMULCAST_RULES,
  ...HINT_RULES,
];

/** Rules about one candidate. */
export const CANDIDATE_RULES: readonly CandidateRule[] = [...CANDIDATE_LINE_RULES];

/** Rules about an answer and its offer. */
export const PAIR_RULES: readonly PairRule[] = [
  ...PAIR_SECTION_RULES,
  ...PAIR_FORMAT_RULES,
  ...PAIR_FEEDBACK_RULES,
  ...PAIR_HEADER_EXTENSION_RULES,
  ...PAIR_BUNDLE_RULES,
  ...PAIR_TRANSPORT_RULES,
  ...PAIR_SIMULCAST_RULES,
  ...PAIR_DATA_CHANNEL_RULES,
  ...PAIR_SOURCE_RULES,
];

/** Rules about a description and what was said before it. */
export const HISTORY_RULES: readonly HistoryRule[] = [
  ...HISTORY_SECTION_RULES,
  ...HISTORY_NAMING_RULES,
  ...HISTORY_KEY_RULES,
  ...PARTY_RULES,
];

/** Rules about what the session was created with. */
export const POLICY_RULES: readonly PolicyRule[] = [...SESSION_POLICY_RULES, ...HTTP_DOOR_RULES];

/** All rules there are. */
export const RULES: readonly RuleFacts[] = [
  ...DESCRIPTION_RULES,
  ...CANDIDATE_RULES,
  ...PAIR_RULES,
  ...HISTORY_RULES,
  ...POLICY_RULES,
  ...TRICKLE_RULES,
  ...RELAY_RULES,
];
