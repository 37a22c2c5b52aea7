import { describe, expect, it } from "vitest";
import { chooseLayer } from "../examples/media-server/layer-choice.ts";
import { readableDescription } from "../examples/media-server/readable-description.ts";

const LAYERS = [
  { rid: "q", bitrateBps: 150_000 },
  { rid: "f", bitrateBps: 1_700_000 },
  { rid: "h", bitrateBps: 500_000 },
];

describe("the layer of a simulcast", () => {
  it("[M7] is the best one that fits", () => {
    expect(chooseLayer(LAYERS, {})).toBe("f");
    expect(chooseLayer(LAYERS, { maxBitrateBps: 600_000 })).toBe("h");
    expect(chooseLayer(LAYERS, { maxBitrateBps: 200_000 })).toBe("q");
  });

  it("[M7] is the smallest one where none fits, and none where none comes in", () => {
    expect(chooseLayer(LAYERS, { maxBitrateBps: 10_000 })).toBe("q");
    expect(chooseLayer([], {})).toBeUndefined();
    expect(chooseLayer([{ rid: "f", bitrateBps: 0 }], {})).toBeUndefined();
  });

  it("[M7] is left for another only when the limit has room, or is exceeded", () => {
    expect(chooseLayer(LAYERS, { maxBitrateBps: 520_000, current: "q" })).toBe("q");
    expect(chooseLayer(LAYERS, { maxBitrateBps: 520_000, current: "h" })).toBe("h");
    expect(chooseLayer(LAYERS, { maxBitrateBps: 499_000, current: "h" })).toBe("q");
  });

  it("[M7] is one that comes in, when the sender has switched the best one off", () => {
    const short = LAYERS.map((layer) => (layer.rid === "f" ? { ...layer, bitrateBps: 0 } : layer));
    expect(chooseLayer(short, { current: "f" })).toBe("h");
  });

  it("[M7] of one that is no simulcast is itself", () => {
    expect(chooseLayer([{ rid: "", bitrateBps: 9_000 }], { maxBitrateBps: 1 })).toBe("");
  });
});

describe("a description for werift", () => {
  const offer = [
    "v=0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=end-of-candidates",
    "m=video 0 UDP/TLS/RTP/SAVPF 96",
    "a=bundle-only",
    "m=video 0 UDP/TLS/RTP/SAVPF 97",
    "a=inactive",
    "",
  ].join("\r\n");

  it("[M7] offers what is bundle-only, and leaves rejected sections and the way of ending candidates", () => {
    expect(readableDescription(offer)).toBe(
      offer
        .replace("a=end-of-candidates\r\n", "")
        .replace("m=video 0 UDP/TLS/RTP/SAVPF 96", "m=video 9 UDP/TLS/RTP/SAVPF 96"),
    );
  });
});
