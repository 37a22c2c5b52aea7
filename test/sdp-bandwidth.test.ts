import { BANDWIDTH_RULES } from "../protocol/sdp/rules/bandwidth.ts";
import {
  answer,
  expecting,
  inSection,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  replace,
} from "./sdp-examples.ts";

const plain = "chromium.max-bundle";
/** CT 2000; audio AS 64, RS 800, RR 2400; video AS 800, TIAS 700000. */
const munged = "chromium.bandwidth-munged";
/** Its section 1 is rejected. */
const rejecting = "chromium.rejected-no-common-codec";

const ofSession = (...lines: string[]): Mutation => insertAfter(/^s=/, ...lines);
const ofSection = (index: number, ...lines: string[]): Mutation =>
  inSection(index, insertAfter(/^c=/, ...lines));

proveRules(BANDWIDTH_RULES, {
  "bandwidth-syntax": {
    accepted: [
      offer(munged),
      offer(plain, ofSection(0, "b=X-YZ:128", "b=X_Y:0", "b=AS:99999999999 ")),
      answer(rejecting, ofSection(1, "b=AS:foo")),
    ],
    refused: [
      expecting(offer(plain, ofSection(0, "b=AS:foo")), { at: "b=AS:foo" }),
      expecting(offer(plain, ofSection(0, "b=TIAS:64.5")), { at: "b=TIAS:64.5" }),
      expecting(offer(plain, ofSection(0, "b=TIAS:-1")), { at: "b=TIAS:-1" }),
      expecting(offer(plain, ofSection(0, "b=64")), { at: "b=64" }),
      expecting(offer(plain, ofSession("b=CT: 64")), { at: "b=CT: 64" }),
      expecting(offer(plain, ofSection(0, "b=AS:-1")), { at: "b=AS:-1", level: "warning" }),
    ],
  },
  "bandwidth-unknown-type": {
    accepted: [offer(munged), offer(plain, ofSection(0, "b=X-YZ:128"))],
    refused: [
      expecting(offer(plain, ofSection(0, "b=FOO:1")), { at: "b=FOO:1", says: /^b=FOO: / }),
      expecting(offer(plain, ofSession("b=as:64")), { at: "b=as:64" }),
    ],
  },
  "bandwidth-as-session": {
    accepted: [offer(munged)],
    refused: [expecting(offer(plain, ofSession("b=AS:64")), { at: "b=AS:64", says: /^b=AS:64: / })],
  },
  "bandwidth-ct-media": {
    accepted: [offer(munged)],
    refused: [expecting(offer(plain, ofSection(0, "b=CT:64")), { at: "b=CT:64" })],
  },
  "bandwidth-as-unit": {
    accepted: [
      offer(munged, replace("b=AS:800", "b=AS:100000")),
      offer(munged, replace("b=TIAS:700000", "b=TIAS:2000000")),
    ],
    refused: [expecting(offer(munged, replace("b=AS:800", "b=AS:100001")), { at: "b=AS:100001" })],
  },
  "bandwidth-tias-unit": {
    accepted: [
      offer(munged, replace("b=TIAS:700000", "b=TIAS:1000")),
      offer(munged, replace("b=TIAS:700000", "b=TIAS:0")),
      offer(munged, replace("b=AS:64", "b=AS:999")),
    ],
    refused: [
      expecting(offer(munged, replace("b=TIAS:700000", "b=TIAS:999")), { at: "b=TIAS:999" }),
    ],
  },
  "bandwidth-zero": {
    accepted: [offer(munged, replace("b=RS:800", "b=RS:0"))],
    refused: [
      expecting(offer(munged, replace("b=AS:64", "b=AS:0")), { at: "b=AS:0" }),
      expecting(offer(munged, replace("b=TIAS:700000", "b=TIAS:0")), { at: "b=TIAS:0" }),
      expecting(offer(munged, replace("b=CT:2000", "b=CT:0")), { at: "b=CT:0" }),
    ],
  },
  "bandwidth-tias-above-as": {
    accepted: [
      offer(munged, replace("b=TIAS:700000", "b=TIAS:800000")),
      offer(plain, ofSection(0, "b=TIAS:900000"), ofSection(1, "b=AS:800")),
    ],
    refused: [
      expecting(offer(munged, replace("b=TIAS:700000", "b=TIAS:800001")), {
        at: "b=TIAS:800001",
      }),
    ],
  },
  "rtcp-bandwidth-extreme": {
    accepted: [
      offer(munged),
      // A quarter of 64 kbit/s exactly.
      offer(munged, replace("b=RR:2400", "b=RR:15200")),
      // No limit for media: nothing to compare with.
      offer(plain, ofSection(0, "b=RR:200000")),
      offer(plain, ofSection(0, "b=AS:0", "b=RS:0", "b=RR:200000")),
      // One alone: the other has its default.
      offer(plain, ofSection(0, "b=RR:10")),
      offer(plain, ofSection(0, "b=RS:10")),
      // No RTCP at all, and a report of 100 bytes in 25 seconds.
      offer(plain, ofSection(0, "b=RS:0", "b=RR:0"), ofSection(1, "b=RS:12", "b=RR:20")),
    ],
    refused: [
      expecting(offer(munged, replace("b=RR:2400", "b=RR:15201")), { at: "b=RR:15201" }),
      expecting(offer(plain, ofSection(0, "b=AS:64", "b=RR:200000")), {
        at: "b=RR:200000",
        says: /^200000 bit\/s of RTCP: /,
      }),
      // TIAS counts before AS.
      expecting(offer(plain, ofSection(1, "b=AS:800", "b=TIAS:3000", "b=RS:800")), {
        at: "b=RS:800",
      }),
      expecting(offer(plain, ofSection(0, "b=RS:11", "b=RR:20")), { at: "b=RR:20" }),
    ],
  },
  "bandwidth-sum-exceeds-ct": {
    accepted: [
      offer(munged, replace("b=CT:2000", "b=CT:864")),
      offer(plain, ofSection(0, "b=AS:64")),
      answer(rejecting, ofSession("b=CT:64"), ofSection(0, "b=AS:64"), ofSection(1, "b=AS:64")),
    ],
    refused: [expecting(offer(munged, replace("b=CT:2000", "b=CT:863")), { at: "b=CT:863" })],
  },
});
