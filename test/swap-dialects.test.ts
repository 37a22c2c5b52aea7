import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIALECTS, type SwapMessage } from "../protocol/swap/message.ts";
import { readSwapMessage, SWAP_TYPES } from "../protocol/swap/read-message.ts";
import { writeSwapMessage } from "../protocol/swap/write-message.ts";

const A = "endpoint-a-0001";
const B = "endpoint-b-0002";
const SDP = "v=0\r\n";

const common = { source: A, messageId: 7 };

/** One of each kind, with all that it can have. */
const MESSAGES: readonly SwapMessage[] = [
  { ...common, type: "register", criteria: [{ type: "service", value: "game-7" }] },
  { ...common, type: "response", target: B, request: 3 },
  {
    ...common,
    type: "response",
    target: B,
    request: 3,
    description: "Nobody is called so",
    error: {
      type: "http://forge.3gpp.org/sa4/swap/target_unknown.html",
      title: "Target cannot be located",
      status: 404,
      detail: "Nobody is called so",
    },
  },
  { ...common, type: "connect", offer: SDP, criteria: [{ type: "user", value: "sip:b@x" }] },
  { ...common, type: "connect", offer: SDP, criteria: [], target: B },
  { ...common, type: "accept", target: B, answer: SDP },
  { ...common, type: "accept", target: B },
  { ...common, type: "reject", target: B, request: 2, errorId: "busy", description: "In a call" },
  { ...common, type: "update", target: B, sdp: SDP },
  { ...common, type: "close", target: B },
  { ...common, type: "application", target: B, urn: "urn:example:chat", value: { text: "hi" } },
];

const read = (frame: unknown) => readSwapMessage(JSON.stringify(frame));
const messageOf = (frame: unknown) => {
  const reading = read(frame);
  if ("message" in reading) return reading;
  throw new Error(JSON.stringify(reading));
};
const codeOf = (frame: unknown) => {
  const reading = read(frame);
  return "problem" in reading ? reading.problem.code : undefined;
};

/** What is left of a message in the words of the library. */
function asLibrary(message: SwapMessage): object {
  const { type } = message;
  if (type === "reject") return { ...common, type, target: B, description: "In a call" };
  if (type === "response" && !message.error) return { ...message, description: "OK" };
  if (type !== "connect") return message;
  const { target: _, ...rest } = message;
  return rest;
}

describe("dialects of SWAP", () => {
  it.each(DIALECTS)("reads in %s what it has written", (dialect) => {
    for (const message of MESSAGES) {
      const reading = readSwapMessage(writeSwapMessage(message, dialect), dialect);
      const known = dialect === "library" ? asLibrary(message) : message;
      expect(reading).toEqual({ message: known, dialect });
    }
  });

  it("knows each by its first message", () => {
    const connect = MESSAGES[3] as SwapMessage;
    for (const dialect of DIALECTS) {
      expect(messageOf(JSON.parse(writeSwapMessage(connect, dialect))).dialect).toBe(dialect);
    }
    // Nothing tells whose it is: answers of the library say all that the schema's do.
    const close = { version: 1, source_id: A, message_id: 1, message_type: "close", target: B };
    expect(messageOf(close).dialect).toBe("library");
  });

  it("stays with the one of the socket", () => {
    const frame = writeSwapMessage(MESSAGES[3] as SwapMessage, "library");
    expect(readSwapMessage(frame, "text")).toMatchObject({ dialect: "text" });
  });

  it("takes a register message with one criterion, as the clause has it", () => {
    const criterion = { type: "User", value: "sip:b@x" };
    const frame = { source: A, message_id: 1, message_type: "Register" };
    expect(messageOf({ ...frame, matching_criteria: criterion }).message).toMatchObject({
      type: "register",
      criteria: [{ type: "user", value: "sip:b@x" }],
    });
  });

  it("writes to readers of the clause both names of the sender", () => {
    expect(JSON.parse(writeSwapMessage(MESSAGES[9] as SwapMessage, "text"))).toEqual({
      version: 1,
      source: A,
      source_id: A,
      message_id: 7,
      message_type: "close",
      target: B,
    });
  });

  it("answers the library by its names, and by the clause's beside them", () => {
    expect(JSON.parse(writeSwapMessage(MESSAGES[1] as SwapMessage, "library"))).toEqual({
      version: 1,
      source_id: A,
      message_id: 7,
      message_type: "response",
      type: "ack",
      target: B,
      request: 3,
      response_to: 3,
      status: 200,
      reason: "OK",
    });
  });
});

describe("what is no SWAP message", () => {
  const connect = {
    version: 1,
    source: A,
    message_id: 1,
    message_type: "connect",
    offer: SDP,
    matching_criteria: [{ type: "service", value: "x" }],
  };

  it.each([
    ["another version", { version: 2 }, "invalid-message"],
    ["a short source", { source: "short" }, "invalid-message"],
    ["no source", { source: undefined }, "invalid-message"],
    ["number 0", { message_id: 0 }, "invalid-message"],
    ["a number that is none", { message_id: "1" }, "invalid-message"],
    ["no type", { message_type: undefined }, "malformed-message"],
    ["a type that is none", { message_type: "trickle" }, "unknown-message-type"],
    ["a type of every object", { message_type: "constructor" }, "unknown-message-type"],
    ["no offer", { offer: undefined }, "invalid-message"],
    ["a criterion without value", { matching_criteria: [{ type: "user" }] }, "invalid-message"],
    [
      "criteria that are too large",
      { matching_criteria: [{ type: "app", value: "x".repeat(3_000) }] },
      "invalid-message",
    ],
  ])("%s", (_name, changed, code) => {
    expect(codeOf({ ...connect, ...changed })).toBe(code);
    expect(codeOf(connect)).toBeUndefined();
  });

  it("is refused by name, with what could be read of it", () => {
    expect(readSwapMessage("{")).toMatchObject({ problem: { code: "malformed-message" } });
    expect(readSwapMessage("[]")).toMatchObject({ problem: { code: "malformed-message" } });
    expect(readSwapMessage(new ArrayBuffer(2))).toMatchObject({
      problem: { code: "malformed-message" },
    });
    expect(readSwapMessage(" ".repeat(2_000_000))).toMatchObject({
      problem: { code: "message-too-large" },
    });
    expect(read({ ...connect, offer: 5 })).toMatchObject({
      envelope: { source: A, messageId: 1 },
      dialect: "text",
    });
  });

  it("never throws, and says nothing of what it was", () => {
    const name = fc.constantFrom(
      "version",
      "source",
      "source_id",
      "message_id",
      "message_type",
      "payload",
      "criteria",
      "matching_criteria",
      "target",
      "type",
      "status",
      "error",
      "request",
    );
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...SWAP_TYPES), fc.constant(A));
    fc.assert(
      fc.property(fc.dictionary(name, value), (frame) => {
        const reading = readSwapMessage(JSON.stringify({ ...frame, marker: "m4rk3r" }));
        expect(JSON.stringify("problem" in reading && reading.problem)).not.toContain("m4rk3r");
      }),
    );
  });
});

describe("answers", () => {
  const response = { source_id: A, message_id: 4, message_type: "response", request: 2 };

  it.each([
    [
      { type: "ERROR", description: "no" },
      { error: { type: "about:blank" }, description: "no" },
    ],
    [
      { response_to: 2, status: 404, reason: "no" },
      { error: { status: 400 }, description: "no" },
    ],
    [{ error: { type: "a:b", title: "t", status: 409 } }, { error: { type: "a:b", detail: "" } }],
  ])("tells errors from acks: %j", (said, wanted) => {
    expect(messageOf({ ...response, ...said }).message).toMatchObject(wanted);
  });

  it("says whom it is for by the schema's `source`", () => {
    expect(messageOf({ ...response, type: "ack", source: B }).message).toEqual({
      source: A,
      messageId: 4,
      type: "response",
      request: 2,
      target: B,
    });
  });

  it("wants to know whether it is an ack", () => {
    expect(codeOf(response)).toBe("invalid-message");
  });
});

describe("the library", () => {
  it("is told why in one word at least", () => {
    const reject = { ...common, type: "reject", target: B, request: 2 } as const;
    const reasonOf = (more: object) =>
      (JSON.parse(writeSwapMessage({ ...reject, ...more }, "library")) as { reason: string })
        .reason;
    expect(reasonOf({})).toBe("rejected");
    expect(reasonOf({ errorId: "busy" })).toBe("busy");
  });
});

describe("messages that endpoints protect", () => {
  const head = { source_id: A, message_id: 4, message_type: "update" };
  const security = { enc: "A128GCM", ciphertext: "b64", mac: "b64" };

  it("keep the frame as it came, where the server can read it", () => {
    const frame = { ...head, target: B, sdp: SDP, security: { mac: "b64" } };
    expect(messageOf(frame).message).toMatchObject({ sdp: SDP, raw: JSON.stringify(frame) });
  });

  it("are sealed where it cannot, with a target or without", () => {
    const sealed = { type: "update", source: A, messageId: 4 };
    const hidden = { ...head, security };
    expect(read(hidden)).toMatchObject({ sealed: { ...sealed, raw: JSON.stringify(hidden) } });
    expect(read({ ...head, target: B, security })).toMatchObject({ sealed: { target: B } });
    expect(read({ ...head, target: "short", security })).not.toHaveProperty("sealed.target");
    expect(codeOf({ ...head, security: "none" })).toBe("invalid-message");
  });
});
