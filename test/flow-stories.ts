/**
 * Records of the corpus that are steps of one connection, and what each step leaves: written by hand from the scenario
 * and the descriptions. The transport is reported as connected after the first answer, so that agreed flows are active.
 *
 * A flow is written `place/mid sender state`, with the reason where there is one; `a` is who offers first. A direction
 * that was offered and not accepted ends; to offer it again without a change in between is nothing new.
 */

export interface StoryStep {
  /** Name of the record, without that of the story. */
  readonly step: string;
  /** Who offers; `a` when left out. */
  readonly by?: "b";
  /** The offer is taken back instead of being answered. */
  readonly isRolledBack?: true;
  /** Flows that run while the offer is open, and what it changes of them if it is answered so. */
  readonly pending?: readonly string[];
  /** Flows that have not ended after the answer. */
  readonly live: readonly string[];
  /** What has ended in this step. */
  readonly ended?: readonly string[];
  /** Mids of the transport in the order of the bundle; no transport is open when it is empty. */
  readonly mids: readonly string[];
  /** ICE was restarted by this exchange. */
  readonly restarts?: true;
}

export interface FlowStory {
  readonly name: string;
  readonly steps: readonly StoryStep[];
}

const everything = (state: string): string[] =>
  ["0/0 a", "0/0 b", "1/1 a", "1/1 b"].map((flow) => `${flow} ${state}`);

export const FLOW_STORIES: readonly FlowStory[] = [
  {
    // Step 2 (sendonly) is not in the corpus. In step 5 the other side offers: it has stopped its camera.
    name: "chromium.hold-resume",
    steps: [
      { step: "1-initial", live: everything("active"), mids: ["0", "1"] },
      {
        step: "3-hold-inactive",
        pending: everything("held"),
        live: everything("held direction"),
        mids: ["0", "1"],
      },
      {
        step: "5-peer-video-off",
        by: "b",
        pending: ["0/0 a resumed", "0/0 b resumed", "1/1 a resumed"],
        live: ["0/0 a active", "0/0 b active", "1/1 a active", "1/1 b held direction"],
        mids: ["0", "1"],
      },
    ],
  },
  {
    name: "firefox.hold-resume",
    steps: [
      { step: "1-initial", live: everything("active"), mids: ["0", "1"] },
      {
        step: "2-hold-sendonly",
        pending: ["0/0 b held", "1/1 b held"],
        live: ["0/0 a active", "0/0 b held direction", "1/1 a active", "1/1 b held direction"],
        mids: ["0", "1"],
      },
      {
        step: "4-resume",
        pending: ["0/0 b resumed", "1/1 b resumed"],
        live: everything("active"),
        mids: ["0", "1"],
      },
      {
        step: "5-peer-video-off",
        by: "b",
        pending: ["1/1 b held"],
        live: ["0/0 a active", "0/0 b active", "1/1 a active", "1/1 b held direction"],
        mids: ["0", "1"],
      },
    ],
  },
  {
    // The answerer never sends: what the offer asks of it ends each time that it is new.
    name: "gstreamer.hold-resume",
    steps: [
      {
        step: "1-initial",
        live: ["0/audio0 a active"],
        ended: ["0/audio0 b not-accepted"],
        mids: ["audio0"],
      },
      {
        step: "2-hold-inactive",
        pending: ["0/audio0 a held"],
        live: ["0/audio0 a held direction"],
        mids: ["audio0"],
      },
      {
        step: "3-resume",
        pending: ["0/audio0 a resumed"],
        live: ["0/audio0 a active"],
        ended: ["0/audio0 b not-accepted"],
        mids: ["audio0"],
      },
    ],
  },
  {
    // werift writes port 0 with its inactive: that is the end of the section, not a hold (RFC 3264 s8.2).
    name: "werift.hold-resume",
    steps: [
      { step: "1-initial", live: ["0/0 a active"], ended: ["0/0 b not-accepted"], mids: ["0"] },
      {
        step: "2-hold-inactive",
        pending: ["0/0 a ends"],
        live: [],
        ended: ["0/0 a stopped"],
        mids: [],
      },
    ],
  },
  {
    // stop() of aiortc changes nothing that is described.
    name: "aiortc.stop-transceiver",
    steps: [
      {
        step: "1-initial",
        live: ["0/0 a active", "1/1 a active"],
        ended: ["0/0 b not-accepted", "1/1 b not-accepted"],
        mids: ["0", "1"],
      },
      { step: "2-stop-video", live: ["0/0 a active", "1/1 a active"], mids: ["0", "1"] },
    ],
  },
  {
    // Steps 1 and 2 are not in the corpus. The peer sends video; the offerer has taken its own away, then adds another
    // track in a new section, stops the first transceiver, and uses the section again under another mid.
    name: "chromium.add-remove-track",
    steps: [
      {
        step: "3-remove-video",
        live: ["0/0 a active", "0/0 b active", "1/1 b active"],
        mids: ["0", "1"],
      },
      {
        step: "4-readd-video",
        live: ["0/0 a active", "0/0 b active", "1/1 b active", "2/2 a active"],
        ended: ["2/2 b not-accepted"],
        mids: ["0", "1", "2"],
      },
      {
        step: "5-stop-video",
        pending: ["1/1 b ends"],
        live: ["0/0 a active", "0/0 b active", "2/2 a active"],
        ended: ["1/1 b stopped"],
        mids: ["0", "2"],
      },
      {
        step: "6-recycle-mline",
        live: ["0/0 a active", "0/0 b active", "1/3 a active", "2/2 a active"],
        ended: ["1/3 b not-accepted"],
        mids: ["0", "3", "2"],
      },
    ],
  },
  {
    // Steps 2, 4 and 5 are not in the corpus: the section comes back under another mid at once.
    name: "firefox.add-remove-track",
    steps: [
      { step: "1-audio", live: ["0/0 a active", "0/0 b active"], mids: ["0"] },
      {
        step: "3-remove-video",
        live: ["0/0 a active", "0/0 b active", "1/1 b active"],
        mids: ["0", "1"],
      },
      {
        step: "6-recycle-mline",
        pending: ["1/1 b ends"],
        live: ["0/0 a active", "0/0 b active", "1/3 a active", "2/2 a active"],
        ended: ["1/1 b stopped", "1/3 b not-accepted", "2/2 b not-accepted"],
        mids: ["0", "3", "2"],
      },
    ],
  },
  {
    // The offer that was taken back had one section; the next has others, under other mids.
    name: "chromium.rollback",
    steps: [
      {
        step: "1-offer-rolled-back",
        isRolledBack: true,
        live: [],
        ended: ["0/0 a rolled-back", "0/0 b rolled-back"],
        mids: [],
      },
      {
        step: "2-after-rollback",
        live: ["0/1 a active", "0/1 b active", "1/2 a active", "1/2 b active"],
        mids: ["1", "2"],
      },
    ],
  },
  {
    name: "firefox.ice-restart",
    steps: [
      { step: "1-initial", live: everything("active"), mids: ["0", "1"] },
      { step: "2-restart", live: everything("active"), mids: ["0", "1"], restarts: true },
    ],
  },
  {
    name: "pion.ice-restart",
    steps: [
      { step: "1-initial", live: ["0/0 a active"], ended: ["0/0 b not-accepted"], mids: ["0"] },
      { step: "2-restart", live: ["0/0 a active"], mids: ["0"], restarts: true },
    ],
  },
  {
    name: "janus-to-chromium.videoroom-subscribe",
    steps: [
      { step: "1-initial", live: ["0/0 a active", "1/1 a active"], mids: ["0", "1"] },
      {
        step: "2-add-publisher",
        live: ["0/0 a active", "1/1 a active", "2/2 a active", "3/3 a active"],
        mids: ["0", "1", "2", "3"],
      },
    ],
  },
  {
    // The publisher of the first two sections leaves: Janus makes them inactive, and keeps them.
    name: "janus-to-firefox.videoroom-subscribe",
    steps: [
      { step: "1-initial", live: ["0/0 a active", "1/1 a active"], mids: ["0", "1"] },
      {
        step: "2-add-publisher",
        live: ["0/0 a active", "1/1 a active", "2/2 a active", "3/3 a active"],
        mids: ["0", "1", "2", "3"],
      },
      {
        step: "3-publisher-left",
        pending: ["0/0 a held", "1/1 a held"],
        live: ["0/0 a held direction", "1/1 a held direction", "2/2 a active", "3/3 a active"],
        mids: ["0", "1", "2", "3"],
      },
    ],
  },
];
