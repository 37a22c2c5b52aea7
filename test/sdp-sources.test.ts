import { SOURCE_RULES } from "../protocol/sdp/rules/sources.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  insertAfter,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const CALL = "chromium.hold-resume.1-initial";
const FID = "a=ssrc-group:FID 2319052515 3433942856";

/** A second track in the same section, as Plan B wrote it. */
const anotherTrack = insertAfter(
  /^a=ssrc:2319052515 msid/,
  "a=ssrc:77777777 cname:i6RrENo+knEbnped",
  "a=ssrc:77777777 msid:d6403110-eb5b-406a-8a15-7187a1fad58b another-track",
);

proveRules(SOURCE_RULES, {
  "ssrc-range": {
    accepted: [
      offer(CALL, replace(/1359025406/g, "4294967295")),
      offer(CALL, replace(/1359025406/g, "0")),
      offer(CALL, append(0, "a=ssrc:1359025406 vendor-flag")),
      offer("node-datachannel.audio-video-data"),
    ],
    refused: [
      expecting(offer(CALL, replace("a=ssrc:1359025406 cname", "a=ssrc:99999999999 cname")), {
        at: "a=ssrc:99999999999 cname:i6RrENo+knEbnped",
      }),
      expecting(offer(CALL, replace("a=ssrc:1359025406 cname", "a=ssrc:4294967296 cname")), {
        at: "a=ssrc:4294967296 cname:i6RrENo+knEbnped",
      }),
      expecting(offer(CALL, append(0, "a=ssrc:-1 cname:x")), { at: "a=ssrc:-1 cname:x" }),
      expecting(offer(CALL, append(0, "a=ssrc:1359025406")), { at: "a=ssrc:1359025406" }),
      expecting(answer(CALL, append(1, "a=ssrc-group:FID 1 4294967296")), {
        at: "a=ssrc-group:FID 1 4294967296",
      }),
      expecting(offer(CALL, append(1, "a=ssrc-group:FEC 0x11 2")), {
        at: "a=ssrc-group:FEC 0x11 2",
      }),
    ],
  },
  "ssrc-low-value": {
    accepted: [offer(CALL), offer(CALL, replace(/1359025406/g, "65536"))],
    refused: [
      expecting(offer(CALL, replace(/1359025406/g, "65535")), {
        at: "a=ssrc:65535 cname:i6RrENo+knEbnped",
        says: /^ssrc 65535: /,
      }),
      expecting(offer("node-datachannel.audio-video-data"), {
        at: "a=ssrc:1001 cname:cn-9901",
        times: 2,
      }),
    ],
  },
  "ssrc-no-cname": {
    accepted: [offer(CALL), offer(CALL, remove(/^a=ssrc:1359025406/))],
    refused: [
      expecting(offer(CALL, remove(/^a=ssrc:3433942856 cname/)), {
        at: /^a=ssrc:3433942856 msid:/,
        says: /^ssrc 3433942856: /,
      }),
      expecting(offer(CALL, remove(/^a=ssrc:\d+ cname/)), { times: 3 }),
    ],
  },
  "ssrc-group-dangling": {
    accepted: [offer(CALL), offer(CALL, append(1, "a=ssrc-group:FEC 2319052515 3433942856"))],
    refused: [
      expecting(offer(CALL, replace(FID, "a=ssrc-group:FID 2319052515 1234567")), {
        at: "a=ssrc-group:FID 2319052515 1234567",
        says: /^ssrc 1234567: /,
      }),
      // A source of another section is none of this one.
      expecting(offer(CALL, append(1, "a=ssrc-group:FEC 2319052515 1359025406")), {
        at: "a=ssrc-group:FEC 2319052515 1359025406",
      }),
      // It copies the groups of the offer into its answer, without the sources.
      expecting(answer("chromium-to-node-datachannel.audio-video-sendrecv"), { times: 2 }),
    ],
  },
  "ssrc-group-fid-size": {
    accepted: [
      offer(CALL),
      offer(CALL, replace(FID, "a=ssrc-group:SIM 2319052515 3433942856 1")),
      // Empty groups have a rule of their own.
      offer(CALL, replace(FID, "a=ssrc-group:FID")),
    ],
    refused: [
      expecting(offer(CALL, replace(FID, `${FID} 5`)), { at: `${FID} 5` }),
      expecting(offer(CALL, replace(FID, "a=ssrc-group:FID 2319052515")), {
        at: "a=ssrc-group:FID 2319052515",
      }),
    ],
  },
  "ssrc-group-empty": {
    accepted: [offer(CALL), offer(CALL, replace(FID, "a=ssrc-group:FID 2319052515"))],
    refused: [
      expecting(offer(CALL, replace(FID, "a=ssrc-group:FID ")), { at: "a=ssrc-group:FID " }),
      expecting(offer(CALL, replace(FID, "a=ssrc-group:")), { at: "a=ssrc-group:" }),
    ],
  },
  "ssrc-group-unknown": {
    accepted: [
      ...["FEC", "FEC-FR", "SIM", "DUP"].map((semantics) =>
        offer(CALL, replace("ssrc-group:FID", `ssrc-group:${semantics}`)),
      ),
      offer(CALL, replace(FID, "a=ssrc-group:")),
    ],
    refused: [
      expecting(offer(CALL, replace("ssrc-group:FID", "ssrc-group:X-LAYER")), {
        at: "a=ssrc-group:X-LAYER 2319052515 3433942856",
      }),
      expecting(offer(CALL, replace("ssrc-group:FID", "ssrc-group:fid")), {
        at: "a=ssrc-group:fid 2319052515 3433942856",
      }),
    ],
  },
  "ssrc-group-sim-legacy": {
    accepted: [offer(CALL), offer("chromium.simulcast-3-rids.sfu-answer")],
    refused: [
      expecting(offer(CALL, append(1, "a=ssrc-group:SIM 2319052515 3433942856")), {
        at: "a=ssrc-group:SIM 2319052515 3433942856",
      }),
    ],
  },
  "plan-b-suspected": {
    accepted: [
      offer(CALL),
      offer("chromium.track-in-two-streams"),
      offer("chromium.two-video-tracks"),
      // Layers of one track, as Chromium wrote them for simulcast by SSRC group.
      offer(
        CALL,
        insertAfter(
          /^a=ssrc:2319052515 msid/,
          "a=ssrc:77777777 cname:i6RrENo+knEbnped",
          "a=ssrc:77777777 msid:d6403110-eb5b-406a-8a15-7187a1fad58b d01ed8a5-863a-4028-bcb3-324b9c844e99",
        ),
      ),
      // A section with two names and a modern mid.
      offer(CALL, append(1, "a=msid:stream another-track")),
      offer(CALL, replace("a=mid:1", "a=mid:video"), append(1, "a=msid:a-stream")),
      offer("gstreamer.audio-video-sendrecv"),
    ],
    refused: [
      expecting(offer(CALL, anotherTrack), { at: "a=ssrc:77777777 cname:i6RrENo+knEbnped" }),
      expecting(
        offer(CALL, replace("a=mid:1", "a=mid:video"), append(1, "a=msid:stream another-track")),
        { at: "a=msid:stream another-track" },
      ),
      expecting(
        offer(
          CALL,
          replace("BUNDLE 0 1", "BUNDLE audio 1"),
          inSection(0, replace("a=mid:0", "a=mid:audio"), remove(/^a=ssrc/)),
          append(0, "a=msid:stream another-track"),
        ),
        { at: "a=msid:stream another-track" },
      ),
    ],
  },
  "ssrc-while-not-sending": {
    accepted: [
      offer(CALL),
      offer(CALL, replace(/^a=sendrecv$/gm, "a=sendonly")),
      answer("chromium.recvonly"),
      // A data section has no direction.
      offer("chromium.data-first-then-audio.2-add-video"),
    ],
    refused: [
      expecting(offer(CALL, inSection(0, replace("a=sendrecv", "a=recvonly"))), {
        at: "a=ssrc:1359025406 cname:i6RrENo+knEbnped",
      }),
      expecting(offer(CALL, inSection(1, replace("a=sendrecv", "a=inactive"))), {
        at: "a=ssrc:2319052515 cname:i6RrENo+knEbnped",
      }),
      expecting(answer("janus-to-firefox.videoroom-subscribe.1-initial"), { times: 2 }),
    ],
  },
  "ssrc-not-signalled": {
    accepted: [
      offer(CALL),
      offer("chromium.max-bundle"),
      offer("chromium.recvonly"),
      offer("aiortc.data-channel-only"),
      offer(CALL, remove(/^a=ssrc/), replace(/^a=sendrecv$/gm, "a=inactive")),
    ],
    refused: [
      expecting(offer("chromium.simulcast-3-rids.sfu-answer"), { at: /^m=video / }),
      expecting(offer(CALL, inSection(0, remove(/^a=ssrc/))), { at: /^m=audio / }),
      expecting(offer(CALL, inSection(0, remove(/^a=ssrc/), replace("a=sendrecv", "a=sendonly"))), {
        at: /^m=audio /,
      }),
    ],
  },
});
