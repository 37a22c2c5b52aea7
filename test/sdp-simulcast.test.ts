import { SIMULCAST_RULES } from "../protocol/sdp/rules/simulcast.ts";
import {
  answer,
  append,
  type Example,
  expecting,
  inSession,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const SIMULCAST = "chromium.simulcast-3-rids.sfu-answer";
const TWO_RIDS: Mutation = append(0, "a=rid:r1 recv", "a=rid:r2 recv");

/** The offer with another value of `a=simulcast`, and with rids to receive as well. */
const saying = (value: string): Example =>
  offer(SIMULCAST, TWO_RIDS, replace("a=simulcast:send q;h;f", `a=simulcast:${value}`));

const refusing = (value: string): Example =>
  expecting(saying(value), { at: `a=simulcast:${value}` });

/** The offer with another line for its first rid. */
const withRid = (line: string): Example => offer(SIMULCAST, replace("a=rid:q send", line));

const refusingRid = (line: string, says?: RegExp): Example =>
  expecting(withRid(line), { at: line, ...(says === undefined ? {} : { says }) });

proveRules(SIMULCAST_RULES, {
  "rid-syntax": {
    accepted: [
      offer(SIMULCAST),
      answer(SIMULCAST),
      offer("chromium-to-janus.videoroom-publish-simulcast"),
      withRid("a=rid:q send pt=96,98;max-width=1280;max-fps=30"),
      withRid("a=rid:q send max-width"),
      withRid("a=rid:q send x-of-the-future=yes;depend=h,f"),
    ],
    refused: [
      refusingRid("a=rid:q"),
      refusingRid("a=rid:"),
      refusingRid("a=rid:q sendonly"),
      refusingRid("a=rid:q SEND"),
      refusingRid("a=rid:q pt=96"),
    ],
  },
  "rid-id-syntax": {
    accepted: [offer(SIMULCAST), withRid("a=rid:Q0z9 send")],
    refused: [
      refusingRid("a=rid:h.i send", /^rid h\.i: /),
      refusingRid("a=rid:\u00e9 send"),
      refusingRid("a=rid:~q send"),
      ...["a=rid:hi-res send", "a=rid:hi_res send"].map((line) =>
        expecting(withRid(line), { at: line, level: "info" }),
      ),
    ],
  },
  "rid-duplicate": {
    accepted: [offer(SIMULCAST), withRid("a=rid:Q send"), offer(SIMULCAST, TWO_RIDS)],
    refused: [
      expecting(offer(SIMULCAST, append(0, "a=rid:q send")), { says: /^rid q: / }),
      expecting(offer(SIMULCAST, append(0, "a=rid:q recv")), { at: "a=rid:q recv" }),
    ],
  },
  "rid-pt-unknown": {
    accepted: [
      offer(SIMULCAST),
      withRid("a=rid:q send pt=96"),
      withRid("a=rid:q send max-br=1000;pt=96,98"),
    ],
    refused: [
      refusingRid("a=rid:q send pt=77", /^payload type 77: /),
      refusingRid("a=rid:q send pt=96,77;max-fps=30"),
      refusingRid("a=rid:q send pt="),
      expecting(withRid("a=rid:q send pt=77,78"), { times: 2 }),
    ],
  },
  "rid-restriction-value": {
    accepted: [
      offer(SIMULCAST),
      withRid("a=rid:q send max-width=1280;max-height=720;max-fps=30"),
      withRid("a=rid:q send pt=96;max-fs=3600;max-br=0;max-pps=1"),
      withRid("a=rid:q send max-bpp=1.5;max-width;x-max-br=no"),
    ],
    refused: [
      ...["max-width", "max-height", "max-fps", "max-fs", "max-br", "max-pps"].map((name) =>
        refusingRid(`a=rid:q send pt=96;${name}=x`),
      ),
      refusingRid("a=rid:q send max-fps=29.97"),
      refusingRid("a=rid:q send max-br=-1"),
      refusingRid("a=rid:q send max-br="),
      refusingRid("a=rid:q send max-br=100k;max-fps=30"),
    ],
  },
  "simulcast-syntax": {
    accepted: [
      offer(SIMULCAST),
      offer("firefox-to-janus.videoroom-publish-simulcast"),
      answer("firefox-to-janus.videoroom-publish-simulcast"),
      answer("firefox-to-node-datachannel.simulcast-3-rids"),
      answer("werift.simulcast-3-rids"),
      ...["send q", "send q,h;f", "send q,~h;~f", "send q;h recv r1;r2", "recv r1,r2 send ~q"].map(
        saying,
      ),
      // Refused by the rules for undefined rids and for their characters.
      saying("send h.i"),
    ],
    refused: [
      ...[
        "",
        "foo q",
        "q;h;f",
        "send",
        "SEND q",
        "send ;q",
        "send q;",
        "send q;;h",
        "send q,;h",
        "send q,,h",
        "send ,q",
        "send ~",
        "send ~~q",
        "send q~h",
        "send q h",
        "send q recv",
        "send q send h",
        "send q foo r1",
        "send q recv r1,",
        "send q recv r1 send h",
        "send rid=q; recv r1;",
      ].map(refusing),
    ],
  },
  "simulcast-repeated": {
    accepted: [offer(SIMULCAST), saying("send q;h;f recv r1")],
    refused: [
      expecting(offer(SIMULCAST, TWO_RIDS, append(0, "a=simulcast:recv r1;r2")), {
        at: "a=simulcast:recv r1;r2",
      }),
    ],
  },
  "simulcast-session-level": {
    accepted: [offer(SIMULCAST)],
    refused: [
      expecting(
        offer(
          SIMULCAST,
          inSession((part) => `${part}a=simulcast:send q;h\r\n`),
        ),
        { at: "a=simulcast:send q;h" },
      ),
    ],
  },
  "simulcast-rid-undefined": {
    accepted: [
      offer(SIMULCAST),
      answer("werift.simulcast-3-rids"),
      saying("send q;h"),
      offer(SIMULCAST, remove(/^a=simulcast/), remove(/^a=rid/)),
    ],
    refused: [
      expecting(offer(SIMULCAST, remove(/^a=rid:h/)), {
        at: "a=simulcast:send q;h;f",
        says: /^rid h: /,
      }),
      expecting(saying("send q;x;~y"), { at: "a=simulcast:send q;x;~y", times: 2 }),
      expecting(saying("send q recv r1,r3"), { says: /^rid r3: / }),
    ],
  },
  "simulcast-rid-repeated": {
    accepted: [offer(SIMULCAST), saying("send q,h;f recv r1")],
    refused: [
      expecting(saying("send q;h;q"), { at: "a=simulcast:send q;h;q", says: /^rid q: / }),
      refusing("send q,~q;h"),
      refusing("send q;h recv h"),
    ],
  },
  "simulcast-rid-direction": {
    accepted: [
      offer(SIMULCAST),
      answer(SIMULCAST),
      saying("send q;h;f recv r1;r2"),
      // Undefined rids have no direction.
      saying("send q;x recv y"),
    ],
    refused: [
      expecting(withRid("a=rid:q recv"), { at: "a=simulcast:send q;h;f", says: /^rid q: / }),
      expecting(saying("recv q;h;r1"), { times: 2 }),
      refusing("send q;h;f;r1"),
    ],
  },
  "simulcast-no-rid-extension": {
    accepted: [
      offer(SIMULCAST),
      offer(
        SIMULCAST,
        remove(/rtp-stream-id$/),
        append(0, "a=ssrc:88888888 cname:QyNVu7SnZQA8zipW"),
      ),
      // What the session part says holds for the section.
      offer(
        SIMULCAST,
        remove(/^a=extmap:/),
        inSession((part) => `${part}a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n`),
      ),
      offer("chromium.no-ssrc-no-msid", remove(/sdes:rtp-stream-id$/)),
    ],
    refused: [
      expecting(offer(SIMULCAST, remove(/sdes:rtp-stream-id$/)), { at: "a=simulcast:send q;h;f" }),
      expecting(answer(SIMULCAST, remove(/^a=extmap:/)), { at: "a=simulcast:recv q;h;f" }),
    ],
  },
});
