import { LIMITS } from "../limits.ts";
import type { SdpFinding } from "./finding.ts";

/** One line of a description: `a=mid:0` is type `a` and value `mid:0`. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly type: string;
  readonly value: string;
}

/** An attribute line: `a=mid:0` is name `mid` and value `0`; `a=rtcp-mux` has the empty value. */
export interface Attribute {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

/** Bytes of a text in UTF-8, the unit of all size limits. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    // Each half of a surrogate pair counts two of the four bytes of its character.
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

const tooLarge = (message: string): SdpFinding => ({
  rule: "sdp-too-large",
  level: "error",
  message,
  source: "Duplex D4",
});

/** The finding that says a description is over the limits of D4. */
export function sectionsTooMany(): SdpFinding {
  return tooLarge(`more than ${LIMITS.sdpSections} m-sections`);
}

/** Real peers end lines with CRLF; LF and CR alone must be read as well (RFC 8866 s5). */
const LINE_END = /\r\n|\n|\r/;

/**
 * Splits a description into lines, in linear time.
 *
 * Findings: `sdp-too-large`, `line-not-utf8`, `line-bad-syntax`, `version-invalid`.
 */
export function readLines(sdp: string): readonly Line[] | SdpFinding {
  if (sdp.length > LIMITS.sdpBytes || utf8Bytes(sdp) > LIMITS.sdpBytes) {
    return tooLarge(`more than ${LIMITS.sdpBytes} bytes`);
  }
  if (!sdp.isWellFormed()) {
    return {
      rule: "line-not-utf8",
      level: "error",
      message: "the text holds half a character and has no UTF-8 form",
      source: "RFC 8866 s4.5",
    };
  }
  const texts = sdp.split(LINE_END);
  if (texts.at(-1) === "") texts.pop();
  if (texts.length > LIMITS.sdpLines) return tooLarge(`more than ${LIMITS.sdpLines} lines`);
  const badIndex = texts.findIndex((text) => !/^[a-z]=/.test(text));
  if (badIndex >= 0) {
    return {
      rule: "line-bad-syntax",
      level: "error",
      line: badIndex + 1,
      message: "a line must be one letter, an equals sign and a value",
      source: "RFC 8829 s5.8",
    };
  }
  if (texts[0] !== "v=0") {
    return {
      rule: "version-invalid",
      level: "error",
      line: 1,
      message: "the first line must be v=0",
      source: "RFC 8866 s5.1",
    };
  }
  return texts.map((text, index) => ({
    number: index + 1,
    type: text.slice(0, 1),
    value: text.slice(2),
  }));
}

/** The attributes among lines, in their order. */
export function attributesOf(lines: readonly Line[]): readonly Attribute[] {
  return lines
    .filter(({ type }) => type === "a")
    .map(({ number, value }) => {
      const colon = value.indexOf(":");
      return colon < 0
        ? { line: number, name: value, value: "" }
        : { line: number, name: value.slice(0, colon), value: value.slice(colon + 1) };
    });
}
