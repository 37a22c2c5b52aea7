import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Candidate } from "../protocol/message-parts.ts";

/** What two Chromium say to each other in a call with microphone, camera, STUN and TURN: the same for everybody. */

interface CorpusRecord {
  readonly offer: string;
  readonly answer: string;
}

const RECORD = JSON.parse(
  readFileSync(
    fileURLToPath(
      new URL("../test/fixtures/sdp-corpus/chromium.turn-all-candidates.json", import.meta.url),
    ),
    "utf8",
  ),
) as CorpusRecord;

/** One end's part in a call. */
export interface Part {
  /** As it is sent when candidates trickle: without them. */
  readonly sdp: string;
  /** In the order in which browsers find them: of its own interfaces, from STUN, from TURN. */
  readonly candidates: readonly Candidate[];
}

export interface CallScript {
  readonly offerer: Part;
  readonly answerer: Part;
}

const FOUND = ["host", "srflx", "relay"];

function candidatesOf(sdp: string, ufrag: string): Candidate[] {
  const [, ...sections] = sdp.split(/^(?=m=)/m);
  const found = sections.flatMap((section, sdpMLineIndex) => {
    const sdpMid = /^a=mid:(\S+)/m.exec(section)?.[1] ?? "";
    return [...section.matchAll(/^a=(candidate:.*?)\r?$/gm)].map(([, line = ""]) => ({
      candidate: line.replace("generation 0", `generation 0 ufrag ${ufrag}`),
      sdpMid,
      sdpMLineIndex,
      usernameFragment: ufrag,
    }));
  });
  const rank = ({ candidate }: Candidate): number =>
    FOUND.findIndex((type) => candidate.includes(` typ ${type}`));
  return found.toSorted((one, other) => rank(one) - rank(other));
}

/** Credentials of ICE and the CNAME are each call's own; candidates go out by themselves. */
function partOf(text: string): Part {
  const ufrag = randomBytes(3).toString("base64").replaceAll("=", "");
  const pwd = randomBytes(18).toString("base64");
  const cname = randomBytes(12).toString("base64");
  const sdp = text
    .replaceAll(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`)
    .replaceAll(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`)
    .replaceAll(/cname:\S+/g, `cname:${cname}`);
  const trickled = sdp
    .replaceAll(/^a=candidate:.*\r\n/gm, "")
    .replaceAll(/^m=(audio|video) [1-9]\d* /gm, "m=$1 9 ")
    .replaceAll(/^c=IN IP4 \S+/gm, "c=IN IP4 0.0.0.0");
  return { sdp: trickled, candidates: candidatesOf(sdp, ufrag) };
}

export const callScript = (): CallScript => ({
  offerer: partOf(RECORD.offer),
  answerer: partOf(RECORD.answer),
});

/** Host candidates come at once, the others when a server has answered. */
export function burstsOf({
  candidates,
}: Part): readonly [readonly Candidate[], readonly Candidate[]] {
  const isHost = ({ candidate }: Candidate): boolean => candidate.includes(" typ host");
  return [candidates.filter(isHost), candidates.filter((one) => !isHost(one))];
}
