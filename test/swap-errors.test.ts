import { expect, it } from "vitest";
import { PROBLEMS, type ProblemCode, problem } from "../protocol/problem.ts";
import { swapErrorOf } from "../protocol/swap/errors.ts";

it("tells every problem by a URI, in the words of the clause where it has some", () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    const { type, title, status, detail } = swapErrorOf(problem(code, "why"));
    expect([status, detail]).toEqual([PROBLEMS[code].status, "why"]);
    expect(new URL(type).href).toBe(type);
    expect(title).not.toBe("");
  }
  expect(swapErrorOf(problem("unknown-peer", "gone"))).toEqual({
    type: "http://forge.3gpp.org/sa4/swap/target_unknown.html",
    title: "Target cannot be located",
    status: 404,
    detail: "gone",
  });
  expect(swapErrorOf(problem("glare", "later")).type).toBe("urn:duplex:problem:glare");
});
