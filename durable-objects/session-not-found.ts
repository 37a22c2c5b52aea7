import { type Problem, problem } from "../protocol/problem.ts";

export const sessionNotFound = (): Problem =>
  problem("session-not-found", "no session has this id; it may have ended");
