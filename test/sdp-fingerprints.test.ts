import { FINGERPRINT_RULES } from "../protocol/sdp/rules/fingerprints.ts";
import {
  answer,
  expecting,
  inSection,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

/** Audio, video and data in one bundle; each section says everything itself. */
const THREE = "chromium.max-bundle";
/** Says it once, in the session part. */
const ONCE = "firefox.max-compat";
const LINE = /^a=fingerprint:.*$/m;
const EACH_LINE = /^a=fingerprint:.*$/gm;

const octets = (count: number): string => Array<string>(count).fill("AB").join(":");
const OF_256 = `sha-256 ${octets(32)}`;
const OF_1 = `sha-1 ${octets(20)}`;
const OF_SHA3 = `sha3-256 ${octets(32)}`;
const OF_MD5 = `md5 ${octets(16)}`;

/** The fingerprints of the first place that has some. */
const first = (...values: string[]): Mutation =>
  replace(LINE, values.map((value) => `a=fingerprint:${value}`).join("\r\n"));

proveRules(FINGERPRINT_RULES, {
  "fingerprint-missing": {
    accepted: [
      offer(THREE),
      offer(ONCE),
      // Bundled: the first section of the bundle says it.
      offer(THREE, inSection(1, remove(LINE)), inSection(2, remove(LINE))),
      answer(THREE, inSection(1, remove(LINE))),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(1, remove(LINE), replace("m=video 9", "m=video 0")),
      ),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(2, remove(LINE), replace(/^m=.*$/m, "m=image 9 udptl t38")),
      ),
      // It is there, wrong as it is: that is for another rule.
      offer(ONCE, first("sha-256 xyz")),
    ],
    refused: [
      expecting(offer(THREE, remove(LINE)), { times: 3, at: /^m=audio / }),
      expecting(answer(ONCE, remove(LINE)), { times: 3, at: /^m=audio / }),
      expecting(offer(THREE, remove(/^a=group/), inSection(2, remove(LINE))), {
        at: /^m=application /,
      }),
      expecting(offer(ONCE, first("sha-256")), { times: 3 }),
    ],
  },
  "fingerprint-syntax": {
    accepted: [
      offer(THREE),
      answer(ONCE),
      offer(THREE, first(`${OF_256} `)),
      offer(THREE, first(`SHA-256 ${octets(32).toLowerCase()}`)),
      offer(THREE, first("future-hash AB")),
    ],
    refused: [
      expecting(offer(THREE, first("sha-256 xyz")), { at: "a=fingerprint:sha-256 xyz" }),
      expecting(offer(ONCE, first("sha-256")), { at: "a=fingerprint:sha-256" }),
      expecting(answer(THREE, first("")), { at: "a=fingerprint:" }),
      offer(THREE, first(` ${OF_256}`)),
      offer(THREE, first(`${OF_256}:`)),
      offer(THREE, first(`${OF_256} ${OF_256}`)),
      offer(THREE, first(OF_256.replaceAll(":", ""))),
      offer(THREE, first(OF_256.replaceAll(":", " "))),
      offer(THREE, first(`sha@256 ${octets(32)}`)),
    ],
  },
  "fingerprint-length": {
    accepted: [
      offer(THREE),
      answer(ONCE),
      offer(THREE, first(`SHA-256 ${octets(32)}`)),
      ...[OF_1, OF_MD5, `sha-224 ${octets(28)}`, `sha-384 ${octets(48)}`].map((value) =>
        offer(THREE, first(value)),
      ),
      offer(THREE, first(`sha-512 ${octets(64)}`, `md2 ${octets(16)}`)),
      offer(THREE, first("sha3-256 AB:CD")),
      offer(THREE, first("sha-256 xyz")),
    ],
    refused: [
      expecting(offer(THREE, first(`sha-256 ${octets(6)}`)), {
        at: `a=fingerprint:sha-256 ${octets(6)}`,
      }),
      answer(ONCE, first(`sha-256 ${octets(33)}`)),
      offer(THREE, first(`sha-1 ${octets(32)}`)),
      offer(THREE, first(`SHA-512 ${octets(32)}`)),
      expecting(offer(THREE, first(OF_256, `sha-384 ${octets(32)}`)), { at: /sha-384/ }),
    ],
  },
  "fingerprint-lowercase": {
    accepted: [
      offer(THREE),
      answer(ONCE),
      offer(THREE, first(`abc ${octets(32)}`)),
      offer(THREE, first(`sha-256 ${octets(32).replaceAll("AB", "01")}`)),
      offer(THREE, first("sha-256 xyz abc")),
    ],
    refused: [
      expecting(offer(THREE, first(OF_256.toLowerCase())), { at: /^a=fingerprint:sha-256 ab:/ }),
      answer(ONCE, first(`${OF_256.slice(0, -1)}b`)),
    ],
  },
  "fingerprint-hash-forbidden": {
    accepted: [offer(THREE), offer(THREE, first(OF_1)), offer(THREE, first(`md6 ${octets(16)}`))],
    refused: [
      expecting(offer(THREE, first(OF_MD5)), { at: /^a=fingerprint:md5 / }),
      answer(ONCE, first(OF_MD5.toUpperCase())),
      expecting(offer(THREE, first(OF_256, `md2 ${octets(16)}`)), { at: /^a=fingerprint:md2 / }),
    ],
  },
  "fingerprint-hash-weak": {
    accepted: [
      offer(THREE),
      offer(THREE, first(OF_1, OF_256)),
      offer(THREE, first(`sha-224 ${octets(28)}`, OF_1)),
      // Every section has its own, so that nobody hears the session part.
      offer(THREE, insertAfter(/^t=/, `a=fingerprint:${OF_1}`)),
    ],
    refused: [
      expecting(offer(THREE, first(OF_1)), { at: /^a=fingerprint:sha-1 / }),
      expecting(offer(ONCE, first(OF_1.replace("sha", "SHA"))), { at: /^a=fingerprint:SHA-1 / }),
      offer(THREE, first(OF_1, OF_SHA3, OF_MD5)),
      expecting(answer(THREE, replace(EACH_LINE, `a=fingerprint:${OF_1}`)), { times: 3 }),
    ],
  },
  "fingerprint-hash-unknown": {
    accepted: [
      offer(THREE),
      offer(THREE, first(OF_1)),
      offer(THREE, first(OF_MD5)),
      offer(THREE, first("sha3-256")),
      answer(ONCE, first(`SHA-512 ${octets(64)}`)),
    ],
    refused: [
      expecting(offer(THREE, first(OF_SHA3, OF_256)), {
        at: /^a=fingerprint:sha3-256 /,
        level: "warning",
      }),
      expecting(answer(ONCE, first(OF_1, OF_SHA3)), { level: "warning" }),
      expecting(offer(THREE, first(OF_SHA3)), { level: "error" }),
      expecting(offer(ONCE, first(OF_MD5, OF_SHA3)), { level: "error" }),
      // A digest that cannot be read is no other choice.
      expecting(offer(THREE, first("sha-256", OF_SHA3)), { level: "error" }),
    ],
  },
});
