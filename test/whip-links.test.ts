import { describe, expect, it } from "vitest";
import { iceServerLinks } from "../protocol/whip/ice-server-links.ts";

const TURN = { username: "1790000000:peer", credential: "c2VjcmV0+/=" };
const SAID = 'username="1790000000:peer"; credential="c2VjcmV0+/="; credential-type="password"';

describe("ICE servers as Link headers", () => {
  it("[W1] each URL is a link of its own, in the order that clients read", () => {
    expect(
      iceServerLinks([
        { urls: ["stun:stun.example:3478", "stuns:[2001:db8::1]"] },
        {
          urls: ["turn:turn.example:3478?transport=udp", "turns:192.0.2.1:443?transport=tcp"],
          ...TURN,
        },
      ]),
    ).toEqual([
      '<stun:stun.example:3478>; rel="ice-server"',
      '<stuns:[2001:db8::1]>; rel="ice-server"',
      `<turn:turn.example:3478?transport=udp>; rel="ice-server"; ${SAID}`,
      `<turns:192.0.2.1:443?transport=tcp>; rel="ice-server"; ${SAID}`,
    ]);
  });

  it("[W1] TURN without credentials, or with half of them, is left out", () => {
    const urls = ["turn:turn.example"];
    expect(iceServerLinks([{ urls }])).toEqual([]);
    expect(iceServerLinks([{ urls, username: "u" }])).toEqual([]);
    expect(iceServerLinks([{ urls, credential: "p" }])).toEqual([]);
    expect(iceServerLinks([{ urls: ["stun:stun.example"], ...TURN }])).toEqual([
      '<stun:stun.example>; rel="ice-server"',
    ]);
  });

  it.each(['a"b', "a\\b", "a, b", "a,b", "a;b", "a<b", "a>b", "a\r\nb", "\u00fc", "\u20ac", ""])(
    "[W1] credentials such as %j are left out",
    (odd) => {
      const urls = ["turn:turn.example"];
      expect(iceServerLinks([{ urls, username: odd, credential: "p" }])).toEqual([]);
      expect(iceServerLinks([{ urls, username: "u", credential: odd }])).toEqual([]);
    },
  );

  it.each([
    "http://turn.example",
    "turn://turn.example",
    "turn:turn.example>; rel=x",
    "turn:a,b",
    "turn:a b",
    "turn:",
    "turn:a?transport=udp&x=1",
    "turn:a\r\nx: y",
    "turn:a?",
  ])("[W1] %j is no server", (url) => {
    expect(iceServerLinks([{ urls: [url], ...TURN }])).toEqual([]);
  });
});
