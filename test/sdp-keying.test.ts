import { expect, it } from "vitest";
import { KEYING_RULES } from "../protocol/sdp/rules/keying.ts";
import {
  answer,
  append,
  dropSection,
  expecting,
  findingsOf,
  inSection,
  inSession,
  insertAfter,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

/** Audio, video and data in one bundle; each section says everything itself. */
const THREE = "chromium.max-bundle";
const SETUP = /^a=setup:.*$/m;
const EACH_SETUP = /^a=setup:.*$/gm;
const CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const TLS_ID = "a=tls-id:abc3de65cddef001be82";

const profile = (name: string) => replace(/^m=audio 9 \S+/m, `m=audio 9 ${name}`);

proveRules(KEYING_RULES, {
  "rtp-profile-insecure": {
    accepted: [
      offer(THREE),
      offer(THREE, profile("RTP/SAVPF")),
      offer(THREE, replace(/^m=audio 9 \S+/m, "m=audio 0 RTP/AVP")),
    ],
    refused: [
      expecting(offer("firefox.legacy-profile-RTP-AVP"), {
        at: /^m=audio \d+ RTP\/AVP /,
        says: /^RTP\/AVP: /,
      }),
      expecting(answer("chromium.legacy-profile-RTP-AVPF"), { at: /^m=audio \d+ RTP\/AVPF / }),
      offer(THREE, replace(/^m=video 9 \S+/m, "m=text 9 RTP/AVP")),
    ],
  },
  "rtp-profile-legacy": {
    accepted: [offer(THREE), offer(THREE, profile("TCP/DTLS/RTP/SAVPF"))],
    refused: [
      expecting(offer("chromium.legacy-profile-RTP-SAVP"), { at: /^m=audio \d+ RTP\/SAVP / }),
      expecting(answer("firefox.legacy-profile-RTP-SAVPF"), { says: /^RTP\/SAVPF: / }),
      offer(THREE, profile("UDP/TLS/RTP/SAVP")),
      offer(THREE, profile("TCP/DTLS/RTP/SAVP")),
    ],
  },
  "rtp-profile-unknown": {
    accepted: [
      offer(THREE),
      offer(THREE, profile("TCP/DTLS/RTP/SAVPF")),
      offer("chromium.legacy-profile-RTP-SAVP"),
      offer("firefox.legacy-profile-RTP-AVP"),
      offer(THREE, replace(/^m=audio 9 \S+/m, "m=audio 0 FOO/RTP")),
      offer(THREE, replace(/^m=video 9 \S+/m, "m=image 9 udptl")),
    ],
    refused: [
      expecting(offer(THREE, profile("FOO/RTP")), { at: /^m=audio 9 FOO\/RTP / }),
      answer(THREE, replace(/^m=video 9 \S+/m, "m=video 9 UDP/DTLS/SCTP")),
      offer(THREE, profile("udp/tls/rtp/savpf")),
    ],
  },
  "rtp-profile-tcp": {
    accepted: [offer(THREE), offer(THREE, profile("TCP/DTLS/RTP/SAVP"))],
    refused: [
      expecting(offer(THREE, profile("TCP/DTLS/RTP/SAVPF")), { at: /^m=audio 9 TCP\/DTLS/ }),
    ],
  },
  "sdes-crypto-forbidden": {
    accepted: [
      offer(THREE),
      offer(THREE, append(1, "a=cryptographic:1")),
      answer(THREE, inSection(1, replace("m=video 9", "m=video 0")), append(1, CRYPTO)),
    ],
    refused: [
      expecting(offer(THREE, append(1, CRYPTO)), { at: /^a=crypto:1 / }),
      answer(THREE, append(0, CRYPTO)),
      expecting(offer(THREE, insertAfter(/^t=/, CRYPTO)), { at: /^a=crypto:1 / }),
      expecting(offer(THREE, append(0, CRYPTO, CRYPTO.replace(":1", ":2"))), { times: 2 }),
    ],
  },
  "key-mgmt-forbidden": {
    accepted: [offer(THREE), offer(THREE, append(0, "a=key-management:none"))],
    refused: [
      expecting(offer(THREE, append(0, "a=key-mgmt:mikey AQAFgM0XflABAAAA")), {
        at: /^a=key-mgmt:/,
      }),
      expecting(answer(THREE, insertAfter(/^t=/, "a=key-mgmt:mikey AQAFgM0XflABAAAA")), {
        at: /^a=key-mgmt:/,
      }),
    ],
  },
  "setup-missing": {
    accepted: [
      offer(THREE),
      // Bundled: the first section of the bundle says it.
      offer(THREE, inSection(1, remove(SETUP))),
      answer(THREE, inSection(2, remove(SETUP))),
      offer(THREE, remove(SETUP), insertAfter(/^t=/, "a=setup:actpass")),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(2, remove(SETUP), replace("m=application 9", "m=application 0")),
      ),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(2, remove(SETUP), replace(/^m=.*$/m, "m=image 9 udptl t38")),
      ),
    ],
    refused: [
      expecting(offer(THREE, remove(SETUP)), { times: 3, at: /^m=audio / }),
      expecting(answer(THREE, remove(SETUP)), { times: 3, at: /^m=audio /, level: "error" }),
      expecting(offer(THREE, remove(/^a=group/), inSection(2, remove(SETUP))), {
        at: /^m=application /,
      }),
      expecting(
        offer(THREE, remove(/^a=group/), inSection(1, remove(SETUP), replace("m=video", "m=text"))),
        { at: /^m=text / },
      ),
    ],
  },
  "setup-invalid": {
    accepted: [
      offer(THREE),
      offer(THREE, replace(SETUP, "a=setup:ActPass")),
      offer(THREE, replace(SETUP, "a=setup:actpass ")),
      offer(THREE, replace(SETUP, "a=setup:holdconn")),
      // Every section says it itself, so that nobody hears the session part.
      offer(THREE, insertAfter(/^t=/, "a=setup:foo")),
    ],
    refused: [
      expecting(offer(THREE, replace(SETUP, "a=setup:foo")), { at: "a=setup:foo" }),
      expecting(answer(THREE, inSection(1, replace(SETUP, "a=setup:"))), { at: "a=setup:" }),
      expecting(offer(THREE, inSection(1, remove(SETUP)), insertAfter(/^t=/, "a=setup:foo")), {
        at: "a=setup:foo",
      }),
      expecting(
        offer(
          "chromium.legacy-profile-RTP-SAVP",
          dropSection(0),
          inSession(insertAfter(/^t=/, "a=setup:foo")),
        ),
        { at: "a=setup:foo" },
      ),
    ],
  },
  "setup-holdconn": {
    accepted: [offer(THREE), answer(THREE, replace(SETUP, "a=setup:passive"))],
    refused: [
      expecting(offer(THREE, replace(SETUP, "a=setup:holdconn")), { at: "a=setup:holdconn" }),
      expecting(answer(THREE, replace(EACH_SETUP, "a=setup:HoldConn")), { times: 3 }),
    ],
  },
  "setup-offer-not-actpass": {
    accepted: [
      offer(THREE),
      answer(THREE),
      answer(THREE, replace(EACH_SETUP, "a=setup:passive")),
      offer(THREE, replace(SETUP, "a=setup:holdconn")),
      offer("werift.hold-resume.2-hold-inactive"),
    ],
    refused: [
      expecting(offer("werift.ice-restart.2-restart"), { at: /^a=setup:(active|passive)$/ }),
      expecting(offer(THREE, replace(SETUP, "a=setup:active")), { at: "a=setup:active" }),
      expecting(offer("firefox.max-compat", remove(SETUP), insertAfter(/^t=/, "a=setup:passive")), {
        at: "a=setup:passive",
      }),
    ],
  },
  "setup-answer-actpass": {
    accepted: [answer(THREE), answer(THREE, replace(EACH_SETUP, "a=setup:passive")), offer(THREE)],
    refused: [
      expecting(answer(THREE, replace(SETUP, "a=setup:actpass")), { at: "a=setup:actpass" }),
      expecting(answer("firefox.recvonly", replace(SETUP, "a=setup:ACTPASS")), {
        at: "a=setup:ACTPASS",
      }),
    ],
  },
  "tls-id-missing": {
    accepted: [
      // One for the bundle will do.
      offer(THREE, append(0, TLS_ID)),
      offer("firefox.max-compat", insertAfter(/^t=/, TLS_ID)),
      offer("firefox.no-mid", append(0, TLS_ID), append(1, TLS_ID)),
      offer("chromium.legacy-profile-RTP-SAVP", replace(/^m=.*$/m, "m=image 9 udptl t38")),
    ],
    refused: [
      expecting(offer(THREE), { at: /^m=audio / }),
      expecting(offer(THREE, replace("BUNDLE 0 1 2", "BUNDLE 0 2")), { times: 2 }),
      expecting(offer("firefox.no-mid"), { at: /^m=/, times: 2 }),
      expecting(answer(THREE, append(1, TLS_ID)), { at: /^m=audio / }),
      expecting(offer(THREE, replace("m=audio 9", "m=audio 0")), { at: /^m=video / }),
    ],
  },
  "tls-id-syntax": {
    accepted: [
      offer(THREE, append(0, TLS_ID)),
      offer(THREE, append(0, "a=tls-id:+/-_+/-_+/-_+/-_+/-_")),
      offer(THREE, append(0, `a=tls-id:${"x".repeat(255)}`)),
    ],
    refused: [
      expecting(offer(THREE, append(0, "a=tls-id:abc")), { at: "a=tls-id:abc" }),
      answer(THREE, append(0, `a=tls-id:${"x".repeat(19)}`)),
      offer(THREE, append(0, `a=tls-id:${"x".repeat(256)}`)),
      offer(THREE, append(0, `a=tls-id:${"x".repeat(20)}=`)),
    ],
  },
  "identity-present": {
    accepted: [offer(THREE)],
    refused: [
      expecting(offer(THREE, insertAfter(/^t=/, "a=identity:eyJpZHAiOnt9fQ==")), {
        at: "a=identity:eyJpZHAiOnt9fQ==",
      }),
    ],
  },
});

it("[D2] no finding tells a key, a password or a fingerprint", () => {
  const secrets = ["SecretKey", "SecretPassword", "SecretUfrag", "AB:CD:EF", "ab:cd:ef"];
  const careless = offer(
    THREE,
    append(0, CRYPTO.replace(/inline:.*/, "inline:SecretKey"), "a=key-mgmt:mikey SecretKey"),
    append(1, "a=ice-ufrag:SecretUfrag!", "a=ice-pwd:SecretPassword"),
    append(2, "a=ice-ufrag:eX1C", "a=ice-pwd:SecretPassword"),
    append(0, "a=fingerprint:AB:CD:EF sha-256", "a=fingerprint:sha-256 ab:cd:ef"),
    append(1, "a=fingerprint:sha-9 AB:CD:EF", "a=setup:SecretKey", "a=tls-id:SecretKey"),
  );
  const told = findingsOf(careless, true);
  expect(told.length).toBeGreaterThan(9);
  for (const { message } of told) {
    expect(secrets.filter((secret) => message.includes(secret))).toEqual([]);
  }
});
