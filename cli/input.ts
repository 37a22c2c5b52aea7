import { createReadStream } from "node:fs";
import { type PastedDescription, pastedDescription } from "../protocol/pasted-description.ts";

/** Far more than a description may have, even in JSON. */
const MAX_BYTES = 16 * 1024 * 1024;
const LINE_END = /\r\n|\n|\r/;

/** What is wrong with how the program was called, or with its files; said in one line. */
export class UsageError extends Error {}

/** A description as a file has it. */
export interface Input extends PastedDescription {
  /** For people: the path, or `stdin`. */
  readonly name: string;
  /** Lines that are not UTF-8; `undefined` for one whose number is not known. */
  readonly undecodable: readonly (number | undefined)[];
}

/** Reads a file, or the standard input for `-`. Throws `UsageError`. */
export async function readInput(path: string): Promise<Input> {
  const name = path === "-" ? "stdin" : path;
  const bytes = await bytesOf(path).catch((fault: unknown) => {
    if (fault instanceof UsageError) throw fault;
    const { code = "", message = "" } = fault as { code?: string; message?: string };
    throw new UsageError(`cannot read ${name}: ${code || message}`);
  });
  const text = textOf(bytes);
  const pasted = pastedDescription(text);
  const lines = isUtf8(bytes) || isUtf16(bytes) ? [] : linesNotUtf8(bytes);
  return { name, ...pasted, undecodable: pasted.sdp === text ? lines : lines.map(() => undefined) };
}

async function bytesOf(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of path === "-" ? process.stdin : createReadStream(path)) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_BYTES) throw new UsageError(`${path} is too large to be a description`);
  }
  return Buffer.concat(chunks);
}

/** Windows writes it when PowerShell redirects; its byte order mark is no part of the description. */
const isUtf16 = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xfe;

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

const textOf = (bytes: Buffer): string =>
  new TextDecoder(isUtf16(bytes) ? "utf-16le" : "utf-8").decode(bytes);

/** In Latin-1 each byte is a character, so lines can be told before they are decoded. */
const linesNotUtf8 = (bytes: Buffer): number[] =>
  bytes
    .toString("latin1")
    .split(LINE_END)
    .flatMap((line, index) => (isUtf8(Buffer.from(line, "latin1")) ? [] : [index + 1]));
