import { TEXT_RULES } from "../protocol/sdp/rules/text.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  inSession,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const plain = "chromium.max-bundle";
/** Audio, video and data. */
const three = "chromium.connected-host-candidates";
const dataOnly = "chromium-to-firefox.data-channel-only";
/** Its section 1 is rejected. */
const rejecting = "chromium.rejected-no-common-codec";

const candidates = (count: number): Mutation =>
  append(
    0,
    ...Array.from(
      { length: count },
      (_, index) => `a=candidate:${index} 1 udp 2113937151 192.0.2.2 ${50_000 + index} typ host`,
    ),
  );

/** Where `append` puts lines before the first m-line. */
const SESSION = -1;

/** Makes the text this long with one more line. */
const padTo =
  (bytes: number): Mutation =>
  (sdp) =>
    `${sdp}a=${"x".repeat(bytes - sdp.length - 4)}\r\n`;

proveRules(TEXT_RULES, {
  "sdp-too-large": {
    accepted: [offer("chromium.trickle-no-candidates", candidates(64))],
    refused: [
      expecting(offer("chromium.trickle-no-candidates", candidates(66)), {
        at: "a=candidate:64 1 udp 2113937151 192.0.2.2 50064 typ host",
      }),
    ],
  },
  "sdp-large": {
    accepted: [offer(plain, padTo(65_536))],
    refused: [offer(plain, padTo(65_537))],
  },
  "line-too-long": {
    accepted: [
      offer(plain, append(0, `a=x:${"y".repeat(4092)}`)),
      offer(plain, append(0, "y".repeat(4096))),
    ],
    refused: [
      expecting(offer(plain, append(0, `a=x:${"y".repeat(4093)}`)), { at: /^a=x:y/ }),
      expecting(offer(plain, append(0, `a=x:${"ü".repeat(2047)}`)), { at: /^a=x:ü/ }),
      expecting(offer(plain, append(0, "y".repeat(4097))), { at: /^y+$/ }),
    ],
  },
  "line-control-char": {
    accepted: [offer(plain, replace(/^s=-$/m, "s=a\tb"))],
    refused: [
      expecting(offer(plain, replace(/^s=-$/m, "s=-\0")), { at: "s=-\0" }),
      expecting(offer(plain, append(1, "a=x:\u001b[31m")), { at: /^a=x:/ }),
    ],
  },
  "line-not-utf8": {
    accepted: [offer(plain, replace(/^s=-$/m, "s=\u{1f3a5} fünf"))],
    refused: [
      expecting(offer(plain, replace(/^s=-$/m, "s=\ud83c")), { at: "s=\ud83c" }),
      expecting(offer(plain, replace(/^s=-$/m, "s=\udfa5\ud83c")), { at: "s=\udfa5\ud83c" }),
    ],
  },
  "line-bad-syntax": {
    accepted: [
      offer(plain, insertAfter(/^s=/, "q=hello")),
      offer(plain, insertAfter(/^s=/, "i=")),
      offer(plain, replace(/\r\n$/, "")),
    ],
    refused: [
      expecting(offer(plain, insertAfter(/^t=/, "hello")), { at: "hello" }),
      expecting(offer(plain, insertAfter(/^t=/, "A=mid:0")), { at: "A=mid:0" }),
      expecting(offer(plain, insertAfter(/^t=/, " a=ice-lite")), { at: " a=ice-lite" }),
      expecting(offer(plain, insertAfter(/^t=/, "")), { at: "" }),
      expecting(offer(plain, replace(/$/, "\r\n")), { at: "" }),
    ],
  },
  "line-ending-not-crlf": {
    accepted: [offer(plain), offer(plain, replace(/\r\n/, "\n"))],
    refused: [offer(plain, replace(/\r\n/g, "\n")), offer(plain, replace(/\r\n/g, "\r"))],
  },
  "line-trailing-space": {
    accepted: [offer(plain, replace(/^s=-$/m, "s= "))],
    refused: [
      // Many of its lines do: one is enough to know.
      expecting(offer("pion.audio-video-data"), { at: "a=rtcp-fb:96 goog-remb " }),
      expecting(offer(plain, replace(/^(a=group:.*)$/m, "$1\t")), { at: /^a=group:.*\t$/ }),
      expecting(offer(plain, inSession(replace(/^s=-$/m, "s=- ")), append(0, "a=x ")), {
        at: "s=- ",
        times: 2,
      }),
    ],
  },
  "line-order": {
    accepted: [
      offer("chromium.bandwidth-munged"),
      offer(
        plain,
        insertAfter(/^s=/, "i=x", "u=http://example.org/", "e=a@example.org", "p=+1 2", "b=CT:900"),
        insertAfter(/^t=/, "r=7d 1h 0 25h", "z=2882844526 -1h", "t=0 0", "r=7d 1h 0 25h", "t=0 0"),
      ),
      offer(
        plain,
        insertAfter(/^m=/, "i=x"),
        insertAfter(/^c=/, "c=IN IP6 ::", "b=AS:64", "b=RS:0"),
      ),
      offer(plain, append(0, "q=x")),
      // Its section 1 is not looked at.
      answer(rejecting, append(1, "b=AS:64")),
    ],
    refused: [
      expecting(offer("chromium.bandwidth-munged", append(0, "b=RR:1")), { at: "b=RR:1" }),
      expecting(offer(plain, insertAfter(/^c=/, "i=x")), { at: "i=x" }),
      expecting(offer(plain, append(1, "t=0 0")), { at: "t=0 0" }),
      expecting(offer(plain, append(SESSION, "b=CT:900")), { at: "b=CT:900" }),
      expecting(offer(plain, remove(/^s=/), insertAfter(/^t=/, "s=-")), { at: "s=-" }),
      expecting(offer(plain, insertAfter(/^s=/, "z=2882844526 -1h", "r=7d 1h 0 25h")), {
        at: "r=7d 1h 0 25h",
      }),
    ],
  },
  "key-line-forbidden": {
    accepted: [offer(plain, append(0, "a=k"))],
    refused: [
      expecting(offer(plain, insertAfter(/^t=/, "k=clear:abc")), { at: "k=clear:abc" }),
      expecting(offer(plain, insertAfter(/^c=/, "k=prompt")), { at: "k=prompt" }),
    ],
  },
  "connection-missing": {
    accepted: [
      offer(plain, remove(/^c=/), insertAfter(/^s=/, "c=IN IP4 0.0.0.0")),
      answer(rejecting, inSection(1, remove(/^c=/))),
    ],
    refused: [
      expecting(offer(three, inSection(1, remove(/^c=/))), { at: /^m=video/ }),
      expecting(offer(three, remove(/^c=/)), { times: 3, at: /^m=audio/ }),
    ],
  },
  "m-line-invalid": {
    accepted: [
      offer(plain, replace(/^m=audio \d+ /m, "m=audio 65535/2 ")),
      offer(plain, replace(/^m=audio /m, "m=x-sensor ")),
    ],
    refused: [
      expecting(offer(three, replace(/^m=video .*$/m, "m=video")), { at: "m=video" }),
      expecting(offer(three, replace(/^m=video \d+ /m, "m=video 65536 ")), {
        at: /^m=video 65536/,
      }),
      expecting(offer(three, replace(/^m=video \d+ /m, "m=video any ")), { at: /^m=video any/ }),
      expecting(offer(three, replace(/^m=video /m, "m=vid@eo ")), { at: /^m=vid@eo/ }),
    ],
  },
  "m-line-port-count": {
    accepted: [offer(plain), offer(plain, replace(/^m=audio \d+ /m, "m=audio 0/2 "))],
    refused: [
      expecting(offer(three, replace(/^m=video \d+ /m, "m=video 49170/2 ")), {
        at: /^m=video 49170\/2 /,
      }),
    ],
  },
  "media-type-unusual": {
    accepted: [offer(three), offer(plain, replace(/^m=audio \d+ /m, "m=text 0 "))],
    refused: [
      expecting(offer(plain, replace(/^m=audio /m, "m=text ")), {
        at: /^m=text/,
        says: /^media type text: /,
      }),
    ],
  },
  "attr-repeated": {
    accepted: [
      offer(three),
      offer(plain, append(0, "a=fingerprint:sha-1 00", "a=msid:x y", "a=x", "a=x")),
      offer(plain, append(SESSION, "a=setup:actpass")),
    ],
    refused: [
      expecting(offer(plain, append(0, "a=setup:active", "a=setup:passive")), {
        at: "a=setup:active",
        says: "a=setup: ",
      }),
      expecting(offer(plain, append(0, "a=rtcp-mux", "a=mid:x")), { times: 2 }),
      expecting(offer(dataOnly, append(0, "a=max-message-size:0")), { at: "a=max-message-size:0" }),
    ],
  },
  "direction-conflict": {
    accepted: [
      offer(plain, append(0, "a=sendrecv")),
      offer(plain, append(SESSION, "a=recvonly")),
      offer(dataOnly, append(0, "a=sendrecv", "a=recvonly")),
    ],
    refused: [
      expecting(offer(plain, append(0, "a=inactive")), { at: "a=inactive" }),
      expecting(
        offer(plain, inSection(0, insertAfter(/^a=sendrecv/, "a=sendonly", "a=recvonly"))),
        {
          at: "a=sendonly",
        },
      ),
    ],
  },
});
