import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isProblem } from "../protocol/problem.ts";
import { readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import {
  credentialsOf,
  type Fragment,
  HTTP_BODY_BYTES,
  readFragment,
} from "../protocol/whip/fragment.ts";
import { restartFragment } from "../protocol/whip/restart-fragment.ts";
import { CORPUS } from "./corpus.ts";
import { workOf } from "./sdp-fuzz-work.ts";

const HOST = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
const TCP = "candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0";
const MDNS =
  "candidate:0 1 UDP 2122252543 0c31d7d2-1f5c-44a2-b7f3-2ba0a5b8ae4b.local 46072 typ host";
const IPV6 = "candidate:3 1 udp 2122197247 2001:db8::1 50001 typ host ufrag EsAw network-id 1";
const CREDENTIALS = ["a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1"];
const SAID = { iceUfrag: "EsAw", icePwd: "P2uYro0UCOQ4zxjKXaWCBui1" };

const text = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join("");

function read(body: string): Fragment {
  const fragment = readFragment(body);
  if (isProblem(fragment)) throw new Error(fragment.detail);
  return fragment;
}

/** Fragments as clients were seen to write them, and what they say. */
const SEEN: Record<string, [body: string, says: Fragment]> = {
  "RFC 9725 figure 2: session part, bundle, m-line, mid": [
    text(
      "a=group:BUNDLE 0 1",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=mid:0",
      ...CREDENTIALS,
      `a=${HOST}`,
      `a=${TCP}`,
      "a=end-of-candidates",
    ),
    {
      sections: [
        {
          mLine: "audio 9 UDP/TLS/RTP/SAVPF 111",
          mid: "0",
          ...SAID,
          candidates: [HOST, TCP],
          complete: true,
        },
      ],
      complete: false,
      dropped: 0,
    },
  ],
  "GStreamer: session credentials, another profile": [
    text(...CREDENTIALS, "m=audio 9 RTP/AVP 0", "a=mid:audio0", `a=${HOST}`),
    {
      ...SAID,
      sections: [
        { mLine: "audio 9 RTP/AVP 0", mid: "audio0", candidates: [HOST], complete: false },
      ],
      complete: false,
      dropped: 0,
    },
  ],
  "MediaMTX: two whole sections": [
    text(
      ...CREDENTIALS,
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
      "a=mid:0",
      `a=${HOST}`,
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=mid:1",
      `a=${HOST}`,
    ),
    {
      ...SAID,
      sections: [
        {
          mLine: "video 9 UDP/TLS/RTP/SAVPF 96 97",
          mid: "0",
          candidates: [HOST],
          complete: false,
        },
        { mLine: "audio 9 UDP/TLS/RTP/SAVPF 111", mid: "1", candidates: [HOST], complete: false },
      ],
      complete: false,
      dropped: 0,
    },
  ],
  "Eyevinn: component 0 and an IPv6 address in brackets": [
    text(
      ...CREDENTIALS,
      "m=video 9 RTP/AVP 0",
      "a=mid:1",
      "a=candidate:5 0 udp 2122260223 192.0.2.1 50000 typ host",
      "a=candidate:6 1 udp 2122260223 [fd00::2] 50000 typ host",
      `a=${IPV6}`,
    ),
    {
      ...SAID,
      sections: [{ mLine: "video 9 RTP/AVP 0", mid: "1", candidates: [IPV6], complete: false }],
      complete: false,
      dropped: 2,
    },
  ],
  "Firefox: mDNS name, transport in capitals": [
    text(...CREDENTIALS, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", `a=${MDNS}`),
    {
      ...SAID,
      sections: [
        { mLine: "audio 9 UDP/TLS/RTP/SAVPF 0", mid: "0", candidates: [MDNS], complete: false },
      ],
      complete: false,
      dropped: 0,
    },
  ],
  "medooze: a restart without any m-line": [
    text(...CREDENTIALS),
    { ...SAID, sections: [], complete: false, dropped: 0 },
  ],
  "no m-line, but candidates and their end": [
    text(`a=${HOST}`, ...CREDENTIALS, `a=${TCP}`, "a=end-of-candidates"),
    {
      ...SAID,
      sections: [{ candidates: [HOST, TCP], complete: false }],
      complete: true,
      dropped: 0,
    },
  ],
  "mids without m-lines": [
    text(`a=${HOST}`, "a=mid:0", `a=${HOST}`, "a=mid:1", `a=${TCP}`, "a=end-of-candidates"),
    {
      sections: [
        { candidates: [HOST], complete: false },
        { mid: "0", candidates: [HOST], complete: false },
        { mid: "1", candidates: [TCP], complete: true },
      ],
      complete: false,
      dropped: 0,
    },
  ],
  "candidates joined by commas, in one line and over several": [
    `${CREDENTIALS.join("\r\n")}\r\na=${HOST},a=${TCP}, candidate:${MDNS.slice(10)}\r\n,a=${IPV6}`,
    {
      ...SAID,
      sections: [{ candidates: [HOST, TCP, MDNS, IPV6], complete: false }],
      complete: false,
      dropped: 0,
    },
  ],
  "other line ends, other case, blanks, what nobody knows": [
    "A=ICE-UFRAG: EsAw \na=Ice-Pwd:P2uYro0UCOQ4zxjKXaWCBui1\r \n\na=x-future:1\nb=AS:1\nrubbish\n" +
      `M=audio 9 X 0\na=MID:0\nA=Candidate:${HOST.slice(10)}\na=${HOST}\nA=END-OF-CANDIDATES`,
    {
      ...SAID,
      sections: [{ mLine: "audio 9 X 0", mid: "0", candidates: [HOST], complete: true }],
      complete: false,
      dropped: 0,
    },
  ],
  "credentials, mids and candidates that are none": [
    text(
      "a=ice-ufrag:",
      "a=ice-pwd:two words",
      "a=mid:",
      "a=__proto__:1",
      "a=constructor:1",
      "a=candidate",
      "a=candidate:rubbish",
      "a=candidate:1 257 udp 1 192.0.2.1 50000 typ host",
      "a=candidate:1 1 sctp 1 192.0.2.1 50000 typ host",
      "a=candidate:1 1 udp 1 192.0.2.999 50000 typ host",
      "a=candidate:1 1 udp 1 192.0.2.1 65536 typ host",
      "a=candidate:1 1 udp 1 192.0.2.1 50000 typ",
      "a=candidate:1 1 udp 1 a..b 50000 typ host",
      "a=candidate:1 1 udp 1 192.0.2.1 50000 typ host x \u0007",
      "a=end-of-candidates",
    ),
    { sections: [], complete: true, dropped: 9 },
  ],
};

describe("reading a fragment", () => {
  it.each(Object.entries(SEEN))("[W6] %s", (_name, [body, says]) => {
    expect(read(body)).toEqual(says);
  });

  it.each(["", "\r\n\r\n", "{}", "hello", "v=0\r\ns=-", "a=\r\na=:1\r\nm=", "a= mid:0"])(
    "[W6] %j is refused, as no line is one of a fragment",
    (body) => {
      expect(readFragment(body)).toMatchObject({ code: "fragment-invalid" });
    },
  );

  it("[W6] one line that can be understood is enough", () => {
    expect(read("hello\na=x-future\n{}")).toEqual({ sections: [], complete: false, dropped: 0 });
  });

  it("[W6] which generation it is of: session part, a section, a candidate", () => {
    const of = (...lines: string[]) => credentialsOf(read(text(...lines)));
    expect(of(...CREDENTIALS, "m=audio 9 X 0", "a=ice-ufrag:other")).toEqual(SAID);
    expect(of("m=audio 9 X 0", "m=video 9 X 0", ...CREDENTIALS)).toEqual(SAID);
    expect(of("a=ice-ufrag:EsAw", "m=audio 9 X 0", ...CREDENTIALS.slice(1))).toEqual(SAID);
    expect(of("a=ice-ufrag:EsAw")).toEqual({ iceUfrag: "EsAw" });
    expect(of(`a=${HOST}`, `a=${IPV6}`)).toEqual({ iceUfrag: "EsAw" });
    // A password alone is of no generation.
    expect(of("a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", `a=${HOST}`)).toEqual({});
  });

  it("[W6] it has a largest size", () => {
    const largest = `a=ice-lite\r\n${"x".repeat(HTTP_BODY_BYTES - 12)}`;
    expect(isProblem(readFragment(largest))).toBe(false);
    expect(readFragment(`${largest}x`)).toMatchObject({ code: "message-too-large" });
    expect(readFragment("\u20ac".repeat(HTTP_BODY_BYTES / 2))).toMatchObject({
      code: "message-too-large",
    });
  });

  it("[W6] whatever is sent, it is read or refused, and what is read is written well", () => {
    const piece = fc.oneof(
      fc.constantFrom(...Object.values(SEEN).flatMap(([body]) => body.split(/(?=\r|\n|:|,| )/))),
      fc.constantFrom("a=", "m=", ",", ":", "\r\n", "\n", "candidate:", "a=candidate:", "a=mid:"),
      fc.string({ unit: "binary", maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const fragment = readFragment(pieces.join(""));
        if (isProblem(fragment)) return;
        const candidates = fragment.sections.flatMap((section) => section.candidates);
        for (const candidate of candidates) {
          expect(candidate).toMatch(/^candidate:\S+ \d+ (udp|tcp) [^\r\n]* typ \S+/i);
        }
        // Read again from what was understood, it is the same.
        const { dropped: _dropped, ...rest } = fragment;
        expect(read(written(fragment))).toEqual({ ...rest, dropped: 0 });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([",", "a=mid:0\n", "m=x\n", ",candidate:", `a=${HOST}\n`, "a=ice-ufrag:a\n", "x"])(
    "[W6] twice as many %j cost at most twice the work",
    (unit) => {
      const costOf = (count: number) => workOf(() => void readFragment(unit.repeat(count)));
      expect(costOf(1000) / costOf(500)).toBeLessThan(2.15);
    },
  );
});

/** A fragment with all that was understood of it; what began in no section comes first. */
function written({ sections, complete, ...session }: Fragment): string {
  const credentials = ({ iceUfrag, icePwd }: Partial<Fragment>): string[] => [
    ...(iceUfrag === undefined ? [] : [`a=ice-ufrag:${iceUfrag}`]),
    ...(icePwd === undefined ? [] : [`a=ice-pwd:${icePwd}`]),
  ];
  return text(
    "a=ice-lite",
    ...credentials(session),
    ...(complete ? ["a=end-of-candidates"] : []),
    ...sections.flatMap((section) => [
      ...(section.mLine === undefined ? [] : [`m=${section.mLine}`]),
      ...(section.mid === undefined ? [] : [`a=mid:${section.mid}`]),
      ...credentials(section),
      ...section.candidates.map((candidate) => `a=${candidate}`),
      ...(section.complete ? ["a=end-of-candidates"] : []),
    ]),
  );
}

describe("the fragment that answers a restart", () => {
  const ANSWER = text(
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE v a",
    "a=ice-lite",
    "a=ice-options:trickle ice2",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:a",
    "a=ice-ufrag:srvA",
    "a=ice-pwd:srvAsrvAsrvAsrvAsrvAsrvA",
    `a=${HOST}`,
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
    "a=mid:v",
    "a=ice-ufrag:srvV",
    "a=ice-pwd:srvVsrvVsrvVsrvVsrvVsrvV",
    "a=ice-pacing:50",
    `a=${HOST}`,
    `a=${TCP}`,
  );

  it("[W6] has what the answer says of ICE, in the section of the bundle's transport", () => {
    expect(restartFragment(ANSWER)).toBe(
      text(
        "a=ice-lite",
        "a=ice-options:trickle ice2",
        "a=ice-pacing:50",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:v",
        "a=ice-ufrag:srvV",
        "a=ice-pwd:srvVsrvVsrvVsrvVsrvVsrvV",
        `a=${HOST}`,
        `a=${TCP}`,
        "a=end-of-candidates",
      ),
    );
  });

  it("[W6] has credentials where the answer has them, and passes over rejected sections", () => {
    const answer = text(
      "v=0",
      "o=- 1 2 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "a=ice-ufrag:srvA",
      "a=ice-pwd:srvAsrvAsrvAsrvAsrvAsrvA",
      "a=group:BUNDLE 0 1",
      "m=audio 0 UDP/TLS/RTP/SAVPF 111",
      "a=mid:0",
      "m=video 9 UDP/TLS/RTP/SAVPF",
      "a=mid:1",
    );
    expect(restartFragment(answer)).toBe(
      text(
        "a=ice-ufrag:srvA",
        "a=ice-pwd:srvAsrvAsrvAsrvAsrvAsrvA",
        "m=video 9 UDP/TLS/RTP/SAVPF 0",
        "a=mid:1",
        "a=end-of-candidates",
      ),
    );
    const unbundled = answer.replace(/a=group.*\r\n|a=mid:1\r\n/g, "");
    expect(restartFragment(unbundled)).not.toContain("a=mid");
    expect(restartFragment(unbundled)).toContain("m=video");
  });

  it.each([
    ["no ICE", ANSWER.replace(/a=ice-(ufrag|pwd).*\r\n/g, "")],
    ["no password", ANSWER.replace(/a=ice-pwd.*\r\n/g, "")],
    ["no section", "v=0\r\n"],
    ["too large", "a".repeat(600_000)],
  ])("[W6] an answer with %s cannot be told", (_name, answer) => {
    expect(restartFragment(answer)).toMatchObject({ code: "sdp-invalid" });
  });

  it("[W6] of every recorded answer it is read as the answer's own generation", () => {
    let told = 0;
    for (const [name, { answer }] of CORPUS) {
      const description = readDescription(answer ?? "");
      const fragment = restartFragment(answer ?? "");
      if (isFinding(description) || isProblem(fragment)) continue;
      const understood = read(fragment);
      const tagged = description.live.find(({ mid }) => mid === understood.sections[0]?.mid);
      expect([name, credentialsOf(understood)]).toEqual([
        name,
        { iceUfrag: tagged?.iceUfrag, icePwd: tagged?.icePwd },
      ]);
      expect(understood.dropped).toBe(0);
      told += 1;
    }
    expect(told).toBeGreaterThan(20);
  });
});
