import { LIMITS } from "../limits.ts";
import { exceedsBytes } from "../utf8.ts";
import type { SdpFinding } from "./finding.ts";

/** One line of a description: `a=mid:0` is type `a` and value `mid:0`; a line without a type is none. */
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

const tooLarge = (message: string): SdpFinding => ({
  rule: "sdp-too-large",
  level: "error",
  message,
  source: "Duplex D4",
});

/** Findings that say a description is over the limits of D4. */
export function sectionsTooMany(): SdpFinding {
  return tooLarge(`more than ${LIMITS.sdpSections} m-sections`);
}

export function midTooLong(mLine: number): SdpFinding {
  return { ...tooLarge(`a mid of more than ${LIMITS.midBytes} bytes; use a short number`), mLine };
}

/** Real peers end lines with CRLF; LF and CR alone must be read as well (RFC 8866 s5). */
const LINE_END = /\r\n|\n|\r/;

const hasLineEnd = (text: string): boolean => text.includes("\n") || text.includes("\r");

/** The usual line end parts a text much faster than the expression for all of them does. */
function linesIn(sdp: string): string[] {
  const texts = sdp.split("\r\n");
  return texts.some(hasLineEnd) ? sdp.split(LINE_END) : texts;
}

const EQUALS = 0x3d;
const SMALL_A = 0x61;
const SMALL_Z = 0x7a;

/** Whether a text begins with a lower-case letter and `=`. */
function isTyped(text: string): boolean {
  const letter = text.charCodeAt(0);
  return letter >= SMALL_A && letter <= SMALL_Z && text.charCodeAt(1) === EQUALS;
}

/**
 * Splits a description into lines, in linear time. What is no line (`hello`) has no type and its whole text as
 * value: its rule finds it there, the rest can still be read.
 *
 * Finding: `sdp-too-large`.
 */
export function readLines(sdp: string): readonly Line[] | SdpFinding {
  if (exceedsBytes(sdp, LIMITS.sdpBytes)) return tooLarge(`more than ${LIMITS.sdpBytes} bytes`);
  const texts = linesIn(sdp);
  if (texts.at(-1) === "") texts.pop();
  if (texts.length > LIMITS.sdpLines) return tooLarge(`more than ${LIMITS.sdpLines} lines`);
  return texts.map((text, index) =>
    isTyped(text)
      ? { number: index + 1, type: text.charAt(0), value: text.slice(2) }
      : { number: index + 1, type: "", value: text },
  );
}

/** What an attribute line says. */
export function attributeOf({ number, value }: Line): Attribute {
  const colon = value.indexOf(":");
  return colon < 0
    ? { line: number, name: value, value: "" }
    : { line: number, name: value.slice(0, colon), value: value.slice(colon + 1) };
}

const BLANK = 0x20;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

/** Whether there are characters below the blank except the tab and line ends; all text is searched for them. */
export function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < BLANK && unit !== CR && unit !== LF && unit !== TAB) return true;
  }
  return false;
}
