import { describe, expect, it } from "vitest";
import { faultRecord } from "../protocol/fault.ts";
import { TEXTS } from "./corpus.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { secretLines, secretsIn } from "./secret-patterns.ts";

const CAUGHT: readonly (readonly [what: string, line: string])[] = [
  ["a line of SDP", "a=sendrecv"],
  ["a line of SDP", 'offer {"sdp":"v=0\\r\\no=- 1 1 IN IP4 x"}'],
  ["a line of SDP", "TypeError: cannot read a=x-secret:1"],
  ["a line of SDP", "m=audio 9 UDP/TLS/RTP/SAVPF 111"],
  ["a line of SDP", "c=IN IP6 x"],
  ["a candidate", "candidate:1 1 udp 1 x 9 typ host"],
  ["an IPv4 address", "peer at 192.0.2.17 is gone"],
  ["an IPv4 address", '{"address":"10.0.0.1"}'],
  ["an IPv4 address", "198.51.100.7:5000"],
  ["an IPv6 address", "from 2001:db8::1 to nobody"],
  ["an IPv6 address", "[fe80:0:0:0:1:2:3:4]:9"],
  ["an mDNS name of a host candidate", "f7a3c1de-0b2c-4f5a-9d3e-6a1b2c3d4e5f.local"],
  ["a fingerprint", Array(32).fill("AB").join(":")],
  ["ICE credentials", '"usernameFragment":"abcd"'],
  ["ICE credentials", "ufrag abcd"],
  ["a token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"],
  ["a bearer", "authorization: Bearer dev-key"],
  ["a bearer", "duplex.v1, bearer.abcdef"],
  ["a TURN username", '"username":"1780000000:k3n5p7"'],
  ["a TURN credential", "jVqE3p0Zl1Xo0mD5uT8cR2yWbKs="],
];

const SPARED = ["127.0.0.1"];

const NORMAL: readonly string[] = [
  "Ready on http://127.0.0.1:8787/",
  "[wrangler:info] GET /v1/sessions/4k0v2m7yqw8r6t1n3x5z9b2c4d/signalling 101 Switching Protocols (12ms)",
  "[wrangler:info] POST /v1/sessions/4k0v2m7yqw8r6t1n3x5z9b2c4d/peers 201 Created (3ms)",
  '{"fault":"f7a3c1de-0b2c-4f5a-9d3e-6a1b2c3d4e5f","name":"TypeError","frames":["at step (index.js:12:34)"]}',
  "12:34:56 started, 2026-11-21T10:11:12.131Z",
  "kj/exception.c++:123: failed: std::bad_alloc; sentryErrorContext = jsgInternalError",
  "PORT: 8787 is in use; stop what listens there or set another PORT",
  "[wrangler:info] GET /v1/sessions?a=1&cursor=2 200 OK (3ms)",
  "⛅️ wrangler 4.155.0, workerd 1.20261023.1, Node.js v24.21.0",
  "at SessionObject.webSocketMessage (file:///src/durable-objects/session-sockets.ts:71:10)",
  "URLs end up in logs: send the token as subprotocol bearer.<token> or in Authorization",
];

describe("what a log must not have in it", () => {
  // The examples are not in the titles: the runner prints those.
  it("[A4] is seen by its pattern", () => {
    for (const [what, line] of CAUGHT) expect(secretsIn(line, SPARED), line).toContain(what);
  });

  it("[A4] is not seen in lines as a server writes them", () => {
    for (const line of NORMAL) expect(secretsIn(line, SPARED), line).toEqual([]);
  });

  it("[A4] is seen in every description of the corpus, and in candidates", () => {
    for (const [name, sdp] of TEXTS) {
      expect(secretLines(JSON.stringify(sdp)), name).toHaveLength(1);
      expect(secretLines(sdp).length, name).toBeGreaterThan(5);
    }
    expect(secretLines(candidateOf(1).candidate)).toHaveLength(1);
  });

  it("[A4] spares what is named, and nothing else; finds the secrets it is told", () => {
    expect(secretsIn("192.0.2.1 and 192.0.2.2", ["192.0.2.1"])).toEqual(["an IPv4 address"]);
    expect(secretsIn("192.0.2.1", ["192.0.2.1"])).toEqual([]);
    expect(secretsIn("key hunter2", [], ["hunter2"])).toEqual(["a secret of the configuration"]);
  });

  it("[A4] is not in the record of a fault, whatever its message says and however it is laid out", () => {
    const secret = `${sdpOf()}\n    at candidate:1 1 udp 1 192.0.2.1 9 typ host\n  at eyJhbGciOiJIUzI1NiJ9.x.y`;
    class Odd extends Error {
      override name = `Odd ${sdpOf()}`;
    }
    for (const thrown of [new TypeError(secret), new Odd(secret), secret, { secret }, null]) {
      expect(secretLines(JSON.stringify(faultRecord("id", thrown)))).toEqual([]);
    }
    const renamed = new Error("first");
    renamed.message = secret;
    expect(secretLines(JSON.stringify(faultRecord("id", renamed)))).toEqual([]);
    const { frames } = faultRecord("id", new TypeError(secret));
    expect(frames.join()).toContain("secret-patterns");
  });
});
