import { describe, expect, it } from "vitest";
import { type AddressKind, addressKindOf } from "../protocol/sdp/address.ts";

const SPELLINGS: Record<AddressKind, readonly string[]> = {
  unspecified: [
    "0.0.0.0",
    "::",
    "0:0:0:0:0:0:0:0",
    "0::0",
    "::0.0.0.0",
    "::ffff:0.0.0.0",
    "::%1",
    "::%",
  ],
  loopback: [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "::0.0.0.1",
    "::ffff:127.0.0.1",
    "::FFFF:7F00:1",
    "0:0:0:0:0:ffff:127.0.0.1",
  ],
  private: [
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.5",
    "100.64.0.0",
    "100.127.255.255",
    "::ffff:100.64.0.1",
    "192.0.0.0",
    "192.0.0.7",
    "fc00::",
    "fd00::2",
    "FDFF:ffff::1",
    "::ffff:192.168.0.1",
  ],
  "link-local": [
    "169.254.3.4",
    "fe80::1",
    "FE80::A:B:C:D",
    "fe80::1%eth0",
    "fe80::1%25en0",
    "febf:ffff::",
    "::ffff:169.254.0.1",
  ],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::fb", "FF00::", "::ffff:224.0.0.251"],
  global: [
    "192.0.2.2",
    "255.255.255.255",
    "9.255.255.255",
    "11.0.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "192.0.0.8",
    "223.255.255.255",
    "240.0.0.1",
    "0.0.0.1",
    "2001:db8::1",
    "2001:DB8:0:0:8:800:200C:417A",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "64:ff9b::192.0.2.33",
    "1:2:3:4:5:6:192.0.2.33",
    "fec0::1",
    "fbff::1",
    "fe7f::1",
    "::2",
    "::ffff:192.0.2.2",
    "::fffe:127.0.0.1",
  ],
};

const NONE: readonly string[] = [
  "",
  "localhost",
  "host.example.com",
  "c56b30c5-0de8-441d-84ff-84d389c26a37.local",
  "127.1",
  "2130706433",
  "0x7f000001",
  "127.0.0.01",
  "256.0.0.1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.4:80",
  "1.2.3.4%eth0",
  ":",
  ":::",
  "1",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1::2",
  "1:::2",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "12345::1",
  "g::1",
  "[::1]",
  "::1.2.3",
  "::1.2.3.4:5",
  "1.2.3.4::",
  "::1.2.3.4.5",
  "fe80::1\n",
  "1".repeat(100_000),
  ":".repeat(100_000),
  ".".repeat(100_000),
];

const shown = (text: string): string => JSON.stringify(text.slice(0, 50));

describe("addressKindOf", () => {
  it.each(
    Object.entries(SPELLINGS).flatMap(([kind, texts]) =>
      texts.map((text) => [text, kind] as const),
    ),
  )("[D2] takes %s for %s", (text, kind) => {
    expect(addressKindOf(text)).toBe(kind);
  });

  it.each(NONE.map((text) => [shown(text), text] as const))(
    "[D2] takes %s for no address",
    (_shown, text) => {
      expect(addressKindOf(text)).toBeUndefined();
    },
  );

  it("[D4] has read a text of any length before anybody notices", () => {
    const parts = ["%", "%\n", "1.", "0:", "a", "::", "1.2.3.4:", "255."];
    const texts = parts.map((part) => `${part.repeat(100_000)}\n`);
    expect(texts.map(addressKindOf)).toEqual(texts.map(() => undefined));
  });
});
