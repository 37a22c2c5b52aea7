/** Warnings that are right about unmunged records of the corpus, with what their stack does. */
export interface CorpusWarning {
  readonly rule: string;
  /** Who wrote the description; of a pair, its answer. */
  readonly stack: string;
  readonly why: string;
  /** Record and description, once for each finding. */
  readonly places: readonly string[];
}

/** All of them: `sdp-corpus.test.ts` finds each of these and no other. */
export const CORPUS_WARNINGS: readonly CorpusWarning[] = [
  {
    rule: "bundle-extmap-id-conflict",
    stack: "aiortc",
    why: "aiortc numbers header extensions anew in each section, so id 2 is the audio level in one and the send time in the other; it reads its own descriptions, and Chromium refuses such a bundle.",
    places: [
      "aiortc.add-video-reoffer offer",
      "aiortc.add-video-reoffer answer",
      "aiortc.audio-video-sendrecv offer",
      "aiortc.audio-video-sendrecv answer",
      "aiortc.recvonly offer",
      "aiortc.recvonly answer",
      "aiortc.stop-transceiver.1-initial offer",
      "aiortc.stop-transceiver.1-initial answer",
      "aiortc.stop-transceiver.2-stop-video offer",
      "aiortc.stop-transceiver.2-stop-video answer",
      "aiortc.two-video-tracks offer",
      "aiortc.two-video-tracks offer",
      "aiortc.two-video-tracks answer",
      "aiortc.two-video-tracks answer",
    ],
  },
  {
    rule: "bundle-payload-type-fmtp-differs",
    stack: "janus",
    why: "Janus repeats what each publisher said of Opus, so payload type 111 has stereo parameters in one section of the bundle and none in the other.",
    places: ["janus-to-firefox.videoroom-subscribe.3-publisher-left offer"],
  },
  {
    rule: "bundle-rejected-member",
    stack: "werift",
    why: "werift holds a section by setting its port to 0 and leaves its mid in the bundle: by RFC 9143 the section is rejected and may not stay.",
    places: [
      "werift.hold-resume.2-hold-inactive offer",
      "werift.hold-resume.2-hold-inactive answer",
    ],
  },
  {
    rule: "cname-shared-by-both-ends",
    stack: "pion",
    why: "both ends took the name of their stream, s0, for the CNAME, so that receivers would take the two for one participant.",
    places: ["pion.audio-video-sendrecv pair"],
  },
  {
    rule: "congestion-feedback-mismatch",
    stack: "aiortc",
    why: "aiortc answers with nack and nack pli only: it has no transport-cc, which GStreamer offers, and does not know the goog-remb of Pion by the blank behind it.",
    places: [
      "gstreamer-to-aiortc.audio-video-sendrecv pair",
      "pion-to-aiortc.audio-video-sendrecv pair",
    ],
  },
  {
    rule: "congestion-feedback-mismatch",
    stack: "gstreamer",
    why: "GStreamer answers with nack pli and ccm fir only, so no feedback for congestion control is left for the video.",
    places: ["pion-to-gstreamer.audio-video-sendrecv pair"],
  },
  {
    rule: "data-proto-answer-differs",
    stack: "pion",
    why: "Pion answers UDP/DTLS/SCTP to the older DTLS/SCTP that aiortc offers; aiortc takes it, a strict offerer does not find its section again.",
    places: ["aiortc-to-pion.data-channel-only pair"],
  },
  {
    rule: "data-proto-legacy",
    stack: "aiortc",
    why: "aiortc describes data channels in the form of drafts before RFC 8841, DTLS/SCTP with a=sctpmap.",
    places: [
      "aiortc-to-chromium.data-channel-only offer",
      "aiortc-to-firefox.data-channel-only offer",
      "aiortc-to-pion.data-channel-only offer",
      "aiortc.data-channel-only offer",
      "aiortc.data-channel-only answer",
    ],
  },
  {
    rule: "data-proto-legacy",
    stack: "chromium",
    why: "Chromium answers aiortc in the older form that it was offered, as it must.",
    places: ["aiortc-to-chromium.data-channel-only answer"],
  },
  {
    rule: "data-proto-legacy",
    stack: "firefox",
    why: "Firefox answers aiortc in the older form that it was offered, as it must.",
    places: ["aiortc-to-firefox.data-channel-only answer"],
  },
  {
    rule: "feedback-no-congestion",
    stack: "aiortc",
    why: "the same seen in the answer alone: aiortc sends video and asks for nack and nack pli, for nothing that tells of the path.",
    places: [
      "gstreamer-to-aiortc.audio-video-sendrecv answer",
      "pion-to-aiortc.audio-video-sendrecv answer",
    ],
  },
  {
    rule: "ice-options-syntax",
    stack: "node-datachannel",
    why: "libdatachannel puts a comma between its ICE options, ice2,trickle, where the grammar has a blank; browsers take it for one unknown option.",
    places: [
      "chromium-to-node-datachannel.audio-video-sendrecv answer",
      "chromium-to-node-datachannel.recvonly answer",
      "chromium-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.data-channel-only answer",
      "firefox-to-node-datachannel.recvonly answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "node-datachannel-to-chromium.data-channel-only offer",
      "node-datachannel-to-firefox.audio-video-sendrecv offer",
      "node-datachannel-to-pion.audio-video-sendrecv offer",
      "node-datachannel-to-pion.data-channel-only offer",
      "node-datachannel.add-video-reoffer offer",
      "node-datachannel.add-video-reoffer answer",
      "node-datachannel.audio-video-data offer",
      "node-datachannel.audio-video-data answer",
      "node-datachannel.data-channel-only offer",
      "node-datachannel.data-channel-only answer",
    ],
  },
  {
    rule: "rid-direction-not-reversed",
    stack: "node-datachannel",
    why: "libdatachannel without a track handler copies the rids of the offer instead of turning send into recv, so browsers drop the layers.",
    places: [
      "chromium-to-node-datachannel.simulcast-3-rids pair",
      "chromium-to-node-datachannel.simulcast-3-rids pair",
      "chromium-to-node-datachannel.simulcast-3-rids pair",
      "firefox-to-node-datachannel.simulcast-3-rids pair",
      "firefox-to-node-datachannel.simulcast-3-rids pair",
      "firefox-to-node-datachannel.simulcast-3-rids pair",
    ],
  },
  {
    rule: "rtcp-rsize-not-offered",
    stack: "pion",
    why: "Pion writes a=rtcp-rsize into every section of an answer, asked or not; browsers do not mind.",
    places: [
      "firefox-to-pion.audio-video-sendrecv pair",
      "firefox-to-pion.recvonly pair",
      "node-datachannel-to-pion.audio-video-sendrecv pair",
      "node-datachannel-to-pion.audio-video-sendrecv pair",
      "werift-to-pion.audio-video-sendrecv pair",
      "werift-to-pion.audio-video-sendrecv pair",
    ],
  },
  {
    rule: "setup-offer-not-actpass",
    stack: "werift",
    why: "werift offers an ICE restart with the DTLS role that it has instead of actpass.",
    places: ["werift.ice-restart.2-restart offer"],
  },
  {
    rule: "simulcast-direction-not-reversed",
    stack: "node-datachannel",
    why: "libdatachannel without a track handler copies a=simulcast of the offer, which browsers take for no simulcast.",
    places: [
      "chromium-to-node-datachannel.simulcast-3-rids pair",
      "firefox-to-node-datachannel.simulcast-3-rids pair",
    ],
  },
  {
    rule: "ssrc-group-dangling",
    stack: "node-datachannel",
    why: "libdatachannel without a track handler copies the ssrc-group lines of the offer without their a=ssrc lines.",
    places: [
      "chromium-to-node-datachannel.audio-video-sendrecv answer",
      "chromium-to-node-datachannel.audio-video-sendrecv answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
      "firefox-to-node-datachannel.simulcast-3-rids answer",
    ],
  },
];
