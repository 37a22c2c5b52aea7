import { describe, expect, it } from "vitest";
import { withSpliced } from "../protocol/swap/splice.ts";

const HOST = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
const RELAY = "candidate:2 1 udp 41885439 198.51.100.9 3478 typ relay raddr 0.0.0.0 rport 0";

const SDP = [
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=mid:a",
  `a=${HOST}`,
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=mid:v",
  "",
].join("\r\n");

describe("candidates in a description", () => {
  it("come at the end of their sections, and nothing else changes", () => {
    const spliced = withSpliced(SDP, [
      { candidate: RELAY, sdpMid: "a" },
      { candidate: RELAY, sdpMLineIndex: 1 },
      { candidate: "", sdpMid: "a" },
    ]);
    expect(spliced).toBe(
      SDP.replace(`a=${HOST}\r\n`, `a=${HOST}\r\na=${RELAY}\r\n`).concat(`a=${RELAY}\r\n`),
    );
    expect(spliced.replaceAll(`a=${RELAY}\r\n`, "")).toBe(SDP);
  });

  it("are there once, however often and however they were said", () => {
    const once = withSpliced(SDP, [
      { candidate: HOST, sdpMid: "a" },
      { candidate: `a=${RELAY}`, sdpMid: "v" },
      { candidate: RELAY, sdpMid: "v" },
    ]);
    expect(once).toBe(`${SDP}a=${RELAY}\r\n`);
    expect(withSpliced(once, [{ candidate: RELAY, sdpMid: "v" }])).toBe(once);
  });

  it("are left out where they belong to no section", () => {
    expect(
      withSpliced(SDP, [
        { candidate: RELAY, sdpMid: "x" },
        { candidate: RELAY, sdpMLineIndex: 7 },
        { candidate: RELAY },
      ]),
    ).toBe(SDP);
    expect(withSpliced("", [{ candidate: RELAY, sdpMLineIndex: 0 }])).toBe("");
  });

  it("end as the lines of the description do, the last one too", () => {
    const bare = SDP.replaceAll("\r\n", "\n").trimEnd();
    expect(withSpliced(bare, [{ candidate: RELAY, sdpMid: "v" }])).toBe(`${bare}\na=${RELAY}\n`);
  });
});
