import { carriesMedia, type DescriptionRule, eachSection, NO_HITS } from "../rule.ts";
import type { Part } from "../section.ts";
import { eachLine, needsDtls, transportSections } from "./transport-attributes.ts";

const INSECURE = new Set(["RTP/AVP", "RTP/AVPF"]);
const LEGACY = new Set(["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVP"]);
const TCP = "TCP/DTLS/RTP/SAVPF";
const KNOWN = new Set(["UDP/TLS/RTP/SAVPF", TCP, ...INSECURE, ...LEGACY]);

const profileIn = (profiles: ReadonlySet<string>): DescriptionRule["find"] =>
  eachSection(({ protocol }) => (profiles.has(protocol) ? [{ detail: protocol }] : NO_HITS));

const ROLES = new Set(["actpass", "active", "passive", "holdconn"]);

/** Values that count; which letters are capital does not (RFC 5234 s2.3). */
const setupIs = (...roles: readonly string[]): DescriptionRule["find"] =>
  eachLine("setup", (value) => roles.includes(value.toLowerCase()));

const lacksTlsId = ({ attributes }: Part): boolean => !attributes.has("tls-id");

/** How media are protected: profile of the m-line, DTLS roles, and what must not be in a description (RFC 8829 s5.1). */
export const KEYING_RULES: readonly DescriptionRule[] = [
  {
    id: "rtp-profile-insecure",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8834 s4.2",
    requirements: ["R4.2-3", "R10-1"],
    condition: "the protocol of an m-line is `RTP/AVP` or `RTP/AVPF`",
    message:
      "this profile sends media without encryption, which WebRTC forbids; use UDP/TLS/RTP/SAVPF",
    find: profileIn(INSECURE),
  },
  {
    id: "rtp-profile-legacy",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.1.2",
    requirements: ["R4.2-1", "R10-1"],
    condition:
      "the protocol of an m-line is `RTP/SAVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVP` or `TCP/DTLS/RTP/SAVP`",
    message:
      "an old name of the secure profile: receivers must accept it, but new descriptions say UDP/TLS/RTP/SAVPF",
    find: profileIn(LEGACY),
  },
  {
    id: "rtp-profile-unknown",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.1.2",
    requirements: ["R4.1-1", "R10-1"],
    condition: "the protocol of an audio or video m-line is none of the eight that JSEP knows",
    message:
      "audio and video need a protocol that WebRTC knows, and browsers refuse any other; use UDP/TLS/RTP/SAVPF",
    find: eachSection((section) =>
      carriesMedia(section) && !KNOWN.has(section.protocol) ? [{}] : NO_HITS,
    ),
  },
  {
    id: "rtp-profile-tcp",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.1.2",
    condition: "the protocol of an m-line is `TCP/DTLS/RTP/SAVPF`",
    message:
      "legal while the default candidate is TCP, but Chromium rejects such an m-section; UDP/TLS/RTP/SAVPF works with TCP candidates as well",
    find: profileIn(new Set([TCP])),
  },
  {
    id: "sdes-crypto-forbidden",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.1.1",
    requirements: ["R4.2-7", "R13-2"],
    condition: "an `a=crypto` line",
    message:
      "a=crypto shows media keys to everyone who sees the description, and WebRTC forbids it; remove the line and let DTLS make the keys",
    find: eachLine("crypto", () => true),
  },
  {
    id: "key-mgmt-forbidden",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.2.1",
    requirements: ["R4.2-7", "R13-2"],
    condition: "an `a=key-mgmt` line",
    message:
      "WebRTC takes no keys from the description; remove a=key-mgmt and let DTLS make the keys",
    find: eachLine("key-mgmt", () => true),
  },
  {
    id: "setup-missing",
    on: "both",
    level: "warning",
    answerLevel: "error",
    strict: "error",
    source: "RFC 8829 s5.8.3, RFC 5763 s5",
    requirements: ["R4.2-4", "R4.2-6"],
    condition:
      "an m-section that needs DTLS has no `a=setup`, neither its own nor an inherited one",
    message:
      "nothing says who starts DTLS, and Firefox refuses such a description; an offer needs a=setup:actpass, an answer active or passive",
    find: eachSection((section) =>
      section.setup === undefined && needsDtls(section) ? [{}] : NO_HITS,
    ),
  },
  {
    id: "setup-invalid",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 4145 s4",
    requirements: ["R4.2-6"],
    condition: "`a=setup` is not `actpass`, `active`, `passive` or `holdconn`",
    message:
      "a=setup must be actpass, active or passive; browsers refuse a description that says anything else",
    find: eachLine("setup", (value) => !ROLES.has(value.toLowerCase())),
  },
  {
    id: "setup-holdconn",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8842 s5",
    requirements: ["R4.2-6"],
    condition: "`a=setup:holdconn`",
    message:
      "holdconn is not for DTLS: no connection would be made, and browsers fail; to hold media use a=inactive or a=sendonly",
    find: setupIs("holdconn"),
  },
  {
    id: "setup-offer-not-actpass",
    on: "offer",
    level: "warning",
    strict: "error",
    source: "RFC 5763 s5, RFC 8829 s5.2.1",
    requirements: ["R4.2-6"],
    condition: "an offer says `a=setup:active` or `a=setup:passive`",
    message:
      "an offer leaves the DTLS role to the answerer, in later offers too: say a=setup:actpass",
    find: setupIs("active", "passive"),
  },
  {
    id: "setup-answer-actpass",
    on: "answer",
    level: "error",
    strict: "error",
    source: "RFC 5763 s5",
    requirements: ["R4.2-6"],
    condition: "an answer says `a=setup:actpass`",
    message:
      "an answer must decide who starts DTLS, and browsers refuse one that does not; say a=setup:active, or passive",
    find: setupIs("actpass"),
  },
  {
    id: "tls-id-missing",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 8842 s4, RFC 8829 s5.2.1",
    condition: "a transport has no `a=tls-id`",
    message:
      "without a=tls-id a new DTLS association is told only by a new fingerprint or role; no browser sends it yet",
    find: ({ description }) =>
      lacksTlsId(description.session)
        ? transportSections(description)
            .filter(lacksTlsId)
            .map((section) => ({ section }))
        : [],
  },
  {
    id: "tls-id-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8842 s4",
    condition: "`a=tls-id` is not 20 to 255 letters, digits, `+`, `/`, `-` or `_`",
    message: "a=tls-id must be 20 to 255 letters, digits, +, /, - or _, or receivers cannot use it",
    find: eachLine("tls-id", (value) => !/^[\w+/-]{20,255}$/.test(value)),
  },
  {
    id: "identity-present",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8827 s5",
    condition: "an `a=identity` line",
    message:
      "an identity assertion: it is forwarded untouched and not verified here, that is for the receiver to do",
    find: eachLine("identity", () => true),
  },
];
