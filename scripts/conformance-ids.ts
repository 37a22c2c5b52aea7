/**
 * The ids that `docs/conformance.md` must account for: the reference tables they come from are no part of
 * this repository.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Requirements of draft-ietf-rtcweb-rtp-usage-08: section and number within it. 12.7, 12.8 and RA
 * (appendix A) are of -07 only; `8834-` marks what RFC 8834 added, by its section.
 */
export const REQUIREMENTS: readonly string[] = words(`
  R2-1 R2-2
  R3-1
  R4.1-1 R4.1-2 R4.1-3 R4.1-4 R4.1-5 R4.1-6 R4.1-7 R4.1-8 R4.1-9 R4.1-10 R4.1-11 R4.1-12 R4.1-13
  R4.1-14 8834-4.1 R4.2-1 R4.2-2 R4.2-3 R4.2-4 R4.2-5 R4.2-6 R4.2-7 R4.3-1 R4.3-2 R4.3-3 R4.3-4
  R4.3-5 R4.3-6 R4.3-7 R4.3-8/9 R4.3-10 R4.4-1 R4.4-2 R4.4-3 R4.4-4 R4.4-5 R4.5-1 R4.5-2
  R4.5-3 R4.6-1 R4.6-2 R4.7-1 R4.8-1 R4.8-2 R4.8-3 R4.8-4 R4.8-5 R4.8-6 R4.8-7/8 R4.8-9
  R4.9-1 R4.9-2 R4.9-3 8834-4.10
  R5.1-1 R5.1-2 R5.1.1-1 R5.1.1-2 R5.1.2-1 R5.1.2-2 R5.1.3-1 R5.1.4-1 R5.1.5-1 R5.1.6-1 R5.1.6-2
  R5.2-1 R5.2-2 R5.2-3 R5.2.1-1 R5.2.2-1 R5.2.2-2 R5.2.3-1 R5.2.3-2 R5.2.4-1 8834-5.2.5
  R6-1 R6.1-1 R6.1-2 R6.1-3 R6.1-4 R6.1-5 R6.2-1 R6.2-2
  R7-1 R7-2 R7.1-1 R7.1-2 R7.2-1 R7.3-1 R7.3-2 R7.3-3 R7.3-4
  R8-1 R8-2 R8-3
  R9-1
  R10-1 R10-2 R10-3 R10-4 R10-5 R10-6 R10-7 R10-8 R10-9 R10-10
  R11-1 R11-2 R11-3 R11-4
  R12.1.1-1 R12.1.1-2 R12.1.1-3 R12.1.2-1 R12.1.2-2 R12.1.2-3 R12.1.2-4 R12.1.2-5 R12.1.3-1
  R12.1.3-2 R12.1.3-3 R12.2.1-1 R12.2.2-1 R12.2.3-1 R12.2.4-1 R12.7-1 R12.8-1
  R13-1 R13-2 R13-3 R13-4 8834-13
  R15-1 R15-2 R15-3 R15-4
  RA.1-1 RA.2-1 RA.3-1 RA.3.1-1 RA.3.1.1-1 RA.3.2-1 RA.3.3-1 RA.3.3-2 RA.4.1-1 RA.4.2-1 RA.4.3-1
  RA.5-1 RA.6-1
`);

/** Rules and hints of the catalogue that the rules were written from. */
export const CATALOGUED: readonly string[] = words(`
  sdp-too-large sdp-large line-too-long line-control-char line-not-utf8 line-bad-syntax
  line-ending-not-crlf line-trailing-space line-order version-invalid origin-invalid
  origin-sess-id-range origin-username origin-address-leak session-name-missing timing-missing
  key-line-forbidden connection-missing m-line-invalid m-line-port-count media-type-unusual
  attr-repeated direction-conflict description-type-mismatch no-media
  mid-missing mid-duplicate mid-syntax mid-too-long mid-leaks-identity group-syntax group-empty
  group-unknown-mid bundle-mid-in-two-groups bundle-not-offered bundle-tag-bundle-only
  bundle-only-port bundle-only-has-transport-attrs bundle-only-in-answer bundle-rejected-member
  bundle-proto-mixed bundle-ice-ufrag-differs bundle-fingerprint-differs
  bundle-payload-type-conflict bundle-payload-type-fmtp-differs bundle-extmap-id-conflict
  bundle-extmap-uri-two-ids bundle-ssrc-duplicate demux-ambiguous mid-extension-missing
  ls-group-unknown-mid
  rtp-profile-insecure rtp-profile-legacy rtp-profile-unknown rtp-profile-tcp
  sdes-crypto-forbidden key-mgmt-forbidden fingerprint-missing fingerprint-syntax
  fingerprint-length fingerprint-lowercase fingerprint-hash-forbidden fingerprint-hash-weak
  fingerprint-hash-unknown setup-missing setup-invalid setup-holdconn setup-offer-not-actpass
  setup-answer-actpass tls-id-missing tls-id-syntax identity-present
  ice-credentials-missing ice-ufrag-syntax ice-ufrag-long ice-pwd-syntax
  ice-ufrag-pwd-inconsistent ice-options-syntax ice-options-no-ice2 ice-lite candidate-syntax
  candidate-foundation candidate-component candidate-priority candidate-port
  candidate-transport-unknown candidate-tcptype-missing candidate-type-unknown
  candidate-raddr-missing candidate-mdns candidate-fqdn candidate-link-local
  candidate-private-address candidate-loopback candidate-unspecified-or-multicast
  candidate-duplicate candidate-count candidate-ufrag-mismatch candidate-mid-unknown
  candidate-policy-relay-only end-of-candidates-then-candidate
  payload-list-empty payload-type-range payload-type-rtcp-conflict payload-type-repeated
  rtpmap-missing rtpmap-no-clock-rate rtpmap-unlisted-pt fmtp-unknown-pt rtcp-fb-unknown-pt
  rtcp-fb-syntax rtcp-trr-int-large rtx-no-apt rtx-apt-dangling rtx-apt-rtx rtx-clock-rate
  red-dangling fec-without-red h264-no-profile-level-id h264-sprop-parameter-sets opus-rtpmap
  mti-audio-missing mti-telephone-event-missing mti-video-missing clock-rates-mixed ptime-invalid
  unknown-attribute
  rtcp-mux-missing rtcp-mux-only-without-mux rtcp-mux-only-in-answer rtcp-mux-component-2
  rtcp-rsize-absent rtcp-disabled feedback-no-pli feedback-no-fir feedback-no-nack rtx-not-offered
  feedback-no-tmmbr feedback-no-congestion cvo-not-negotiated rtcp-attr-mismatch
  extmap-syntax extmap-id-range extmap-id-15 extmap-two-byte-without-mixed extmap-id-duplicate
  extmap-uri-duplicate extmap-uri-not-absolute extmap-direction-invalid audio-level-unencrypted
  encrypted-extension-clear-only cryptex-not-bidirectional
  ssrc-range ssrc-low-value ssrc-no-cname ssrc-group-dangling ssrc-group-fid-size ssrc-group-empty
  ssrc-group-unknown ssrc-group-sim-legacy plan-b-suspected ssrc-while-not-sending
  ssrc-not-signalled previous-ssrc-unknown cname-syntax cname-not-random cname-contains-identity
  cname-multiple msid-missing msid-syntax msid-duplicate
  bandwidth-syntax bandwidth-unknown-type bandwidth-as-session bandwidth-ct-media
  bandwidth-as-unit bandwidth-tias-unit bandwidth-zero bandwidth-tias-above-as
  rtcp-bandwidth-extreme bandwidth-exceeds-policy bandwidth-sum-exceeds-ct
  rid-syntax rid-id-syntax rid-duplicate rid-pt-unknown rid-restriction-value simulcast-syntax
  simulcast-repeated simulcast-session-level simulcast-rid-undefined simulcast-rid-repeated
  simulcast-rid-direction simulcast-no-rid-extension simulcast-not-offered simulcast-declined
  simulcast-streams-added simulcast-direction-not-reversed rid-not-offered
  rid-direction-not-reversed rid-restriction-loosened
  data-proto-unknown data-proto-legacy data-sctpmap-missing data-fmt-unknown data-fmt-count
  data-sctp-port-missing data-sctp-port-range data-sctp-port-zero data-max-message-size-absent
  data-max-message-size-zero data-two-sections data-direction-ignored data-proto-answer-differs
  data-fmt-mismatch data-max-message-size-asymmetric
  m-line-count-mismatch m-line-type-mismatch m-line-proto-mismatch mid-mismatch
  mid-added-in-answer rejected-line-accepted m-line-rejected bundled-group-tag-rejected
  direction-send-not-invited direction-recv-not-invited payload-no-common-format
  payload-type-not-offered payload-type-remapped h264-packetization-mode-mismatch
  fmtp-usedtx-asymmetric rtx-answered-without-primary extmap-not-offered extmap-id-changed
  extmap-direction-incompatible extmap-allow-mixed-not-offered rtcp-mux-not-offered
  rtcp-mux-declined rtcp-mux-only-unanswered rtcp-rsize-not-offered rtcp-rgrp-not-offered
  rtcp-fb-not-offered congestion-feedback-mismatch bundle-group-not-offered
  bundle-group-not-subset bundle-declined bundle-only-not-bundled setup-pair-invalid
  setup-answer-passive ssrc-collision cname-shared-by-both-ends ice-ufrag-same-both-ends
  fingerprint-same-both-ends ice-lite-both bandwidth-answer-above-offer trickle-not-answered
  identity-lost
  m-line-dropped m-line-type-changed mid-changed mid-reused origin-version-not-incremented
  origin-session-changed payload-type-remapped-in-session extmap-id-remapped-in-session
  ice-partial-restart ice-restart-not-answered ice-restart-not-requested ice-credentials-reused
  fingerprint-changed-without-restart fingerprint-changed dtls-role-changed rtcp-mux-changed
  bundle-moved rid-set-changed msid-changed cname-changed cname-reused-across-sessions
  ssrc-reused-across-sessions ssrc-claimed-by-two-participants loop-detected
  fingerprint-relayed-unchanged fingerprint-shared-by-participants relay-pt-mismatch
  sfu-no-common-codec mesh-shared-session stale-answer glare renegotiation-rate
  legacy-profile-label legacy-avp-peer legacy-trr-int-missing legacy-no-mux legacy-no-bundle
  legacy-no-mid legacy-data legacy-plan-b legacy-sdes legacy-no-trickle single-codec-peer
  tcp-only-candidates mdns-only sfu-suspected simulcast-needs-sfu
`);
