import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Registry } from "../protocol/swap/matching.ts";
import { CRITERIA_TYPES, type Criterion } from "../protocol/swap/message.ts";

const criteria = (...pairs: readonly (readonly [string, unknown])[]): Criterion[] =>
  pairs.map(([type, value]) => ({ type, value }));

const registryOf = (entries: Readonly<Record<string, Criterion[]>>): Registry => {
  const registry = new Registry();
  for (const [endpoint, own] of Object.entries(entries)) registry.register(endpoint, own);
  return registry;
};

/** All that chance can choose. */
const choices = (registry: Registry, wanted: Criterion[], except = "nobody"): Set<string> => {
  const found = Array.from({ length: 64 }, (_none, n) => registry.find(wanted, except, n / 64));
  return new Set(found.filter((each) => each !== undefined));
};

describe("matching criteria", () => {
  it.each([...CRITERIA_TYPES, "urn:example:own"])("finds by %s, and only by it", (type) => {
    const registry = registryOf({
      one: criteria([type, "a"]),
      other: criteria([type, "b"]),
      none: criteria(["colour", "a"]),
    });
    const found = choices(registry, criteria([type, "a"]));
    expect(found.has("one")).toBe(true);
    expect(found.has("other")).toBe(false);
    // What may be unsaid is no reason to prefer whoever did not say it.
    expect(found.has("none")).toBe(false);
  });

  it("wants all of them, and never the sender itself", () => {
    const registry = registryOf({
      both: criteria(["service", "s"], ["user", "u"]),
      half: criteria(["service", "s"]),
    });
    expect(choices(registry, criteria(["service", "s"], ["user", "u"]))).toEqual(new Set(["both"]));
    expect(choices(registry, criteria(["service", "s"]))).toEqual(new Set(["both", "half"]));
    expect(choices(registry, criteria(["service", "s"]), "half")).toEqual(new Set(["both"]));
    expect(choices(registry, criteria(["user", "u"]), "both")).toEqual(new Set());
  });

  it("wants each of two of one type", () => {
    const registry = registryOf({
      red: criteria(["app", "red"]),
      all: criteria(["app", "red"], ["app", "round"]),
    });
    expect(choices(registry, criteria(["app", "red"], ["app", "round"]))).toEqual(new Set(["all"]));
  });

  it("puts whoever says nothing of qos or processing last, and whoever says otherwise out", () => {
    const wanted = criteria(["service", "s"], ["qos", "high"], ["processing", "hevc"]);
    const silent = criteria(["service", "s"]);
    const low = criteria(["service", "s"], ["qos", "low"]);
    expect(choices(registryOf({ silent, low }), wanted)).toEqual(new Set(["silent"]));
    const high = criteria(["service", "s"], ["qos", "high"]);
    expect(choices(registryOf({ silent, low, high }), wanted)).toEqual(new Set(["high"]));
    const full = criteria(["service", "s"], ["qos", "high"], ["processing", "hevc"]);
    expect(choices(registryOf({ silent, high, full }), wanted)).toEqual(new Set(["full"]));
  });

  it("takes lists as alternatives and objects by what is asked of them", () => {
    const registry = registryOf({
      here: criteria(["location", ["cell-1", "cell-2"]]),
      there: criteria(["location", "cell-3"]),
      able: criteria(["processing", { decode: "hevc", encode: "avc", size: { width: 1920 } }]),
    });
    expect(choices(registry, criteria(["location", ["cell-2", "cell-3"]]))).toEqual(
      new Set(["here", "there"]),
    );
    const able = criteria(["processing", { decode: "hevc", size: { width: 1920 } }]);
    expect(choices(registry, able)).toEqual(new Set(["able"]));
    const other = criteria(["app", "x"], ["processing", { decode: "av1" }]);
    expect(choices(registry, other)).toEqual(new Set());
  });

  it("knows one address or name in its several spellings", () => {
    const registry = registryOf({
      host: criteria(["fqdn", "Edge.Example.ORG."], ["ipv6", "2001:DB8:0:0:0:0:0:1"]),
    });
    expect(registry.find(criteria(["fqdn", "edge.example.org"]), "", 0)).toBe("host");
    expect(registry.find(criteria(["ipv6", "[2001:db8::1]"]), "", 0)).toBe("host");
    expect(registry.find(criteria(["ipv6", "no address"]), "", 0)).toBeUndefined();
    // Numbers are no texts, nor are types of one name another's.
    expect(registry.find(criteria(["app", 1]), "", 0)).toBeUndefined();
  });

  it("forgets what was registered before, and whoever left", () => {
    const registry = registryOf({ one: criteria(["service", "old"]) });
    registry.register("one", criteria(["service", "new"]));
    expect(registry.find(criteria(["service", "old"]), "", 0)).toBeUndefined();
    expect(registry.find(criteria(["service", "new"]), "", 0)).toBe("one");
    registry.unregister("one");
    registry.unregister("one");
    expect(registry.find(criteria(["service", "new"]), "", 0)).toBeUndefined();
    expect(registry.size).toBe(0);
  });

  it("takes what is said twice as said once, and a list of nothing as nobody", () => {
    const registry = registryOf({ one: criteria(["service", "s"], ["service", "s"]) });
    expect(registry.find(criteria(["service", []]), "", 0)).toBeUndefined();
    expect(registry.find(criteria(["service", "s"]), "", 0)).toBe("one");
    registry.unregister("one");
    expect(registry.find(criteria(["service", "s"]), "", 0)).toBeUndefined();
  });

  it("finds nobody where each has one of two only", () => {
    const registry = registryOf({
      one: criteria(["service", "s"]),
      two: criteria(["user", "u"]),
      three: criteria(["user", "u"]),
    });
    expect(registry.find(criteria(["service", "s"], ["user", "u"]), "", 0)).toBeUndefined();
    expect(registry.find(criteria(["user", "u"], ["service", "s"]), "", 0)).toBeUndefined();
  });

  it("looks at those that the rarest part of an object leaves", () => {
    const at = (area: string) => criteria(["location", { country: "nl", area }]);
    const registry = registryOf({ one: at("a"), two: at("b"), three: at("b") });
    expect(choices(registry, at("a"))).toEqual(new Set(["one"]));
    expect(choices(registry, at("b"))).toEqual(new Set(["two", "three"]));
    const reversed = criteria(["location", { area: "a", country: "nl" }]);
    expect(choices(registry, reversed)).toEqual(new Set(["one"]));
  });

  it("looks at everybody where nothing in particular is asked for", () => {
    const registry = registryOf({
      one: criteria(["location", { area: "a" }]),
      other: criteria(["location", "a"]),
    });
    expect(choices(registry, criteria(["location", {}]))).toEqual(new Set(["one"]));
    expect(choices(registry, criteria(["location", ["a", {}]]))).toEqual(new Set(["one", "other"]));
    expect(choices(registry, criteria(["qos", "q"]))).toEqual(new Set(["one", "other"]));
  });

  it("finds what a look at everybody finds", () => {
    const value = fc.oneof(
      fc.constantFrom("a", "b", "c"),
      fc.subarray(["a", "b", "c"], { minLength: 1 }),
      fc.record({ x: fc.constantFrom("a", "b") }),
    );
    const type = fc.constantFrom("service", "user", "qos", "processing");
    const list = fc.array(fc.record({ type, value }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(list, { maxLength: 8 }), list, (all, wanted) => {
        const entries = Object.fromEntries(all.map((own, n) => [`e${n}`, own]));
        const each = Object.entries(entries).filter(
          ([endpoint, own]) => registryOf({ [endpoint]: own }).find(wanted, "", 0) === endpoint,
        );
        const found = choices(registryOf(entries), wanted);
        expect(each.map(([endpoint]) => endpoint)).toEqual(expect.arrayContaining([...found]));
        expect(found.size > 0).toBe(each.length > 0);
      }),
    );
  });
});
