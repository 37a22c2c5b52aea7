import { describe, expect, it } from "vitest";
import {
  type Condition,
  conditionOf,
  type Generations,
  meaningOf,
  passes,
} from "../protocol/whip/precondition.ts";

describe("If-Match", () => {
  it.each<[string | undefined, string | undefined, Condition]>([
    [undefined, undefined, "none"],
    ["", undefined, "none"],
    [" ", " ", "none"],
    ["*", undefined, "any"],
    [' "*" ', undefined, "any"],
    ['"abc"', undefined, ["abc"]],
    ['"abc", "d,e" ,"f"', undefined, ["abc", "d,e", "f"]],
    ['W/"abc"', undefined, []],
    ['w/"abc", "def"', undefined, ["def"]],
    ['W/"*"', undefined, []],
    ["abc", undefined, ["abc"]],
    ['""', undefined, [""]],
    ['"open', undefined, ["open"]],
    [undefined, '"abc"', ["abc"]],
    ["", '"abc"', ["abc"]],
    ['"abc"', '"def"', ["abc"]],
  ])("[W6] %j, with ETag %j, is %j", (ifMatch, etag, condition) => {
    expect(conditionOf(ifMatch, etag)).toEqual(condition);
  });

  it("[W6] passes where the strong tag is the current one", () => {
    expect(passes("none", "abc")).toBe(false);
    expect(passes("any", "abc")).toBe(true);
    expect(passes(["x", "abc"], "abc")).toBe(true);
    expect(passes(["ABC", ""], "abc")).toBe(false);
    expect(passes([], "abc")).toBe(false);
  });
});

describe("what a fragment is to a session", () => {
  const now: Generations = { tag: "t2", iceUfrag: "new", retiredUfrags: ["old"] };
  const restarted: Generations = { ...now, previousTag: "t1" };
  const icePwd = "p".repeat(24);
  const outcome = (
    condition: Condition,
    said: { iceUfrag?: string; icePwd?: string },
    generations = now,
  ): string => {
    const meaning = meaningOf(generations, condition, said);
    return typeof meaning === "string" ? meaning : meaning.code;
  };

  it("[W6] without If-Match it is refused, whatever it says", () => {
    expect(outcome("none", { iceUfrag: "new", icePwd })).toBe("precondition-required");
  });

  it("[W6] with another tag it is refused", () => {
    expect(outcome(["t1"], { iceUfrag: "new", icePwd })).toBe("precondition-failed");
    expect(outcome([], { iceUfrag: "newer", icePwd })).toBe("precondition-failed");
  });

  it("[W6] with the current ufrag it is trickle, also with `*` and another password", () => {
    for (const condition of ["any", ["t2"]] as const) {
      expect(outcome(condition, { iceUfrag: "new", icePwd })).toBe("trickle");
      expect(outcome(condition, { iceUfrag: "new" })).toBe("trickle");
      expect(outcome(condition, {})).toBe("trickle");
    }
  });

  it("[W6] with a ufrag of before it takes nothing back", () => {
    expect(outcome("any", { iceUfrag: "old", icePwd })).toBe("precondition-failed");
    expect(outcome(["t2"], { iceUfrag: "old", icePwd })).toBe("precondition-failed");
  });

  it("[W6] with a new ufrag and a password it is a restart", () => {
    expect(outcome("any", { iceUfrag: "newer", icePwd })).toBe("restart");
    expect(outcome(["t2"], { iceUfrag: "newer", icePwd })).toBe("restart");
    expect(outcome(["t2"], { iceUfrag: "newer" })).toBe("fragment-invalid");
  });

  it("[W6] a restart that comes again, because its answer was lost, is known", () => {
    expect(outcome(["t1"], { iceUfrag: "new", icePwd }, restarted)).toBe("repeat");
    expect(outcome(["t2"], { iceUfrag: "new", icePwd }, restarted)).toBe("trickle");
    // Candidates without a password are no restart, a third tag is not the one before, nor is another ufrag known.
    expect(outcome(["t1"], { iceUfrag: "new" }, restarted)).toBe("precondition-failed");
    expect(outcome(["t0"], { iceUfrag: "new", icePwd }, restarted)).toBe("precondition-failed");
    expect(outcome(["t1"], { iceUfrag: "newer", icePwd }, restarted)).toBe("precondition-failed");
  });
});
