import { SESSION_PART_RULES } from "../protocol/sdp/rules/session-part.ts";
import { expecting, insertAfter, offer, proveRules, remove, replace } from "./sdp-examples.ts";

const plain = "chromium.max-bundle";
const sessionId = (id: string) => replace(/^o=- \d+/m, `o=- ${id}`);
const originAddress = (address: string) => replace(/^(o=.*) IN IP4 .*$/m, `$1 ${address}`);

proveRules(SESSION_PART_RULES, {
  "version-invalid": {
    accepted: [offer(plain)],
    refused: [
      expecting(offer(plain, replace("v=0", "v=1")), { at: "v=1" }),
      expecting(offer(plain, replace("v=0", "V=0")), { at: "V=0" }),
      expecting(offer(plain, remove(/^v=/)), { at: /^o=/ }),
      offer(plain, replace(/^.*$/s, "")),
    ],
  },
  "origin-invalid": {
    accepted: [offer(plain), offer("firefox.recvonly"), offer(plain, originAddress("IN IP6 ::"))],
    refused: [
      expecting(offer(plain, replace(/^o=.*$/m, "o=x")), { at: "o=x" }),
      expecting(offer(plain, originAddress("IN IP5 0.0.0.0")), { at: /IP5/ }),
      offer(plain, remove(/^o=/)),
    ],
  },
  "origin-sess-id-range": {
    accepted: [
      offer(plain),
      offer(plain, sessionId("9223372036854775806")),
      offer(plain, sessionId("000000000000000000000001")),
      offer(plain, replace(/^o=.*$/m, "o=x")),
    ],
    refused: [
      expecting(offer(plain, sessionId("9223372036854775807")), { at: /^o=/ }),
      offer(plain, sessionId("99999999999999999999")),
    ],
  },
  "origin-username": {
    accepted: [offer(plain)],
    refused: [
      expecting(offer("firefox.recvonly"), { at: /^o=mozilla/ }),
      expecting(offer("node-datachannel.audio-video-data"), { at: /^o=rtc / }),
    ],
  },
  "origin-address-leak": {
    accepted: [
      offer(plain),
      offer("firefox.recvonly"),
      offer(plain, originAddress("IN IP6 ::")),
      offer(plain, originAddress("IN IP6 ::1")),
    ],
    refused: [
      expecting(offer("janus-to-chromium.textroom-data"), { at: /^o=.* 192\.0\.2\.2$/ }),
      offer(plain, originAddress("IN IP6 fd00::2")),
    ],
  },
  "session-name-missing": {
    accepted: [offer(plain, replace(/^s=-$/m, "s= "))],
    refused: [
      expecting(offer("chromium.max-bundle", replace("s=-", "s=")), { at: "s=" }),
      offer(plain, remove(/^s=/)),
      // A section cannot make up for it.
      offer(plain, remove(/^s=/), insertAfter(/^m=/, "s=-")),
    ],
  },
  "timing-missing": {
    accepted: [offer(plain, replace(/^t=0 0$/m, "t=3724394400 3724398000"))],
    refused: [offer(plain, remove(/^t=/))],
  },
  "no-media": {
    accepted: [
      offer("chromium-to-firefox.data-channel-only"),
      offer(
        "chromium-to-firefox.data-channel-only",
        replace(/^m=application \d+/m, "m=application 0"),
      ),
    ],
    refused: [offer(plain, replace(/\r\nm=.*$/s, "\r\n"))],
  },
});
