import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FromPeer } from "../protocol/messages.ts";
import { viewTimeline } from "../protocol/timeline/view.ts";
import { toldReason } from "../protocol/told-reason.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";
import { secretsIn } from "./secret-patterns.ts";

/** What peers write freely about failures, and what records and timelines repeat of it (A4). */

const PASSWORD = "VNxFyGzXsVzAEVhEcvSvqDjl";
const FAILED = "Failed to execute 'setRemoteDescription' on 'RTCPeerConnection'";

describe("a told reason", () => {
  it.each([
    ["busy", "busy"],
    ["circuit-breaker", "circuit-breaker"],
    ["media-server-out-of-capacity", "media-server-out-of-capacity"],
    ["negotiation-failed: InvalidAccessError", "negotiation-failed: InvalidAccessError"],
    [`${FAILED}: wrong state: stable`, `${FAILED}: wrong state: stable`],
    [
      `${FAILED}: Failed to parse SessionDescription. a=ice-pwd:${PASSWORD} Invalid value`,
      `${FAILED}: Failed to parse SessionDescription.`,
    ],
    ["Failed to parse: candidate:1 1 udp 2113937151 192.0.2.7 9 typ host", "Failed to parse:"],
    [`wrong ice-pwd "${PASSWORD}"`, "wrong"],
    [`expected ${PASSWORD}, got less`, "expected ***, got less"],
    ["no route to 192.0.2.7:3478", "no route to ***"],
    ["no route to [2001:db8::7]:3478", "no route to [***]:3478"],
    ["no route to ::1, or to fe80::1%eth0", "no route to ***, or to ***%eth0"],
    ["no 0b3b5a8a-1111-4a11-8a11-111111111111.local here", "no *** here"],
    ["sha-256 4A:AD:B9:B1:3F:82:18:3B does not match", "sha-256 *** does not match"],
    ["std::bad_alloc\nin line 7", "std::bad_alloc in line 7"],
    ["a=mid:0", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("[A4] of %s is %s", (reason, told) => {
    expect(toldReason(reason)).toBe(told);
  });

  it("[A4] has no line of a description, whatever stands around it", () => {
    const lines = sdpOf()
      .split("\r\n")
      .filter((line) => line.startsWith("a="));
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.string(), fc.string(), (line, head, tail) => {
        const told = toldReason(`${head} ${line} ${tail}`) ?? "";
        expect(told).not.toContain(line);
        expect(told).not.toContain("a=");
      }),
    );
  });

  it("[A4] is what timeline, verdicts and records have of what peers write; the peers are told it as it is", () => {
    const secret = `cannot parse a=ice-pwd:${PASSWORD} of 192.0.2.7`;
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.join("alice"));
    accepted(pure.send("alice", { type: "offer", sdp: sdpOf({ of: "alice" }) }));
    const reject = { type: "reject", to: "alice", exchange: 1, reason: secret } as const;
    accepted(pure.send("sfu", reject));
    expect(pure.take("alice", "reject")).toMatchObject([{ reason: secret }]);
    const written = () => JSON.stringify([viewTimeline(pure.session, 0, pure.at), pure.session]);
    expect(viewTimeline(pure.session, 0, pure.at).verdicts[0]?.says).toContain("cannot parse");
    expect(written()).not.toContain(PASSWORD);
    accepted(pure.send("alice", { type: "offer", sdp: sdpOf({ of: "alice", version: 2 }) }));
    const sdp = sdpOf({ of: "sfu", setup: "active" });
    accepted(pure.send("sfu", { type: "answer", to: "alice", exchange: 2, sdp }));
    const said: FromPeer[] = [
      { type: "transport", to: "alice", state: "failed", reason: secret.slice(0, 64) },
      ...pure.take("sfu", "context").flatMap((message): FromPeer[] =>
        message.type === "context" && message.op !== "close"
          ? [
              {
                type: "context-result",
                context: message.context,
                revision: 0,
                outcome: "refused",
                detail: secret,
              },
            ]
          : [],
      ),
    ];
    for (const message of said) accepted(pure.send("sfu", message));
    const { entries, verdicts } = viewTimeline(pure.session, 0, pure.at);
    expect(entries).toContainEqual(
      expect.objectContaining({ type: "transport", state: "failed", reason: "cannot parse" }),
    );
    const [link] = pure.session.links.values();
    expect(link?.flows.transports[0]?.reason).toBe("cannot parse");
    expect(Object.values(link?.contextResults ?? {})[0]?.detail).toBe("cannot parse");
    expect(secretsIn(JSON.stringify([entries, verdicts, link?.contextResults]))).toEqual([]);
  });
});
