import type { CheckId } from "./catalogue.ts";
import { notOf, type Section, sectionsOf } from "./descriptions.ts";
import { HttpDoor } from "./http-door.ts";
import { demand, Failure } from "./judgement.ts";
import { openScene, type Stage } from "./stage.ts";

/** Offers of the shapes that clients of WHIP are known for; no media follow. */

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join("");

const HEAD = lines("v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0");
const FINGERPRINT =
  "a=fingerprint:sha-256 7A:11:C5:0E:93:5B:D2:68:4F:EA:27:B0:8C:39:F6:14:A3:5D:70:1B:C8:E2:96:4D:03:BF:58:21:9E:74:DA:60";
const UFRAG = "a=ice-ufrag:kit4";
const PWD = "a=ice-pwd:zGq3LrX9bT0vWm6PfYc2JdHs";
const CANDIDATE = "a=candidate:1 1 UDP 2122252543 192.0.2.17 49203 typ host";

const opus = (name = "opus"): string =>
  lines(`a=rtpmap:111 ${name}/48000/2`, "a=fmtp:111 minptime=10;useinbandfec=1");
const vp8 = lines("a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli");
const source = (ssrc: number) => lines(`a=ssrc:${ssrc} cname:kit`);

const AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111";
const VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96";
const MSID = "a=msid:stream track";

interface OddOffer {
  readonly check: CheckId;
  readonly offer: string;
  readonly look: (sections: readonly Section[]) => void;
}

function demandRecvonly(sections: readonly Section[]): void {
  const wrong = notOf(sections, "recvonly");
  demand(
    sections.length === 2 && wrong === "",
    `expected two sections recvonly; saw ${wrong || sections.length}`,
  );
}

const ODD_OFFERS: readonly OddOffer[] = [
  {
    // As Firefox has it: under max-bundle its second section has port 0 (RFC 9143 s7.2.1).
    check: "offer-bundle-only",
    offer:
      HEAD +
      lines(
        "a=sendrecv",
        FINGERPRINT,
        "a=group:BUNDLE 0 1",
        "a=ice-options:trickle",
        "a=msid-semantic:WMS *",
      ) +
      lines(AUDIO, "c=IN IP4 0.0.0.0", "a=sendonly", "a=mid:0", UFRAG, PWD, "a=setup:actpass") +
      lines("a=rtcp-mux", "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid", MSID) +
      opus() +
      source(2_412_110_577) +
      lines("m=video 0 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=bundle-only", "a=sendonly") +
      lines("a=mid:1", UFRAG, PWD, "a=setup:actpass", "a=rtcp-mux", "a=rtcp-rsize") +
      lines("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid", MSID) +
      vp8 +
      source(833_590_224),
    look: demandRecvonly,
  },
  {
    // As FFmpeg has it: it waits for the handshake, and names no candidates at all.
    check: "offer-passive",
    offer:
      HEAD +
      lines("a=group:BUNDLE 0 1", "a=extmap-allow-mixed", "a=msid-semantic: WMS") +
      lines(AUDIO, "c=IN IP4 0.0.0.0", UFRAG, PWD, FINGERPRINT, "a=setup:passive", "a=mid:0") +
      lines("a=sendonly", "a=msid:FFmpeg audio", "a=rtcp-mux") +
      lines("a=rtpmap:111 OPUS/48000/2") +
      source(1_930_221_416) +
      lines(VIDEO, "c=IN IP4 0.0.0.0", UFRAG, PWD, FINGERPRINT, "a=setup:passive", "a=mid:1") +
      lines("a=sendonly", "a=msid:FFmpeg video", "a=rtcp-mux", "a=rtcp-rsize") +
      vp8 +
      source(77_421_983),
    look: (sections) => {
      demandRecvonly(sections);
      const setups = [...new Set(sections.map(({ setup }) => setup))].join(", ");
      demand(
        setups === "active",
        `expected setup:active to an offer with setup:passive; saw ${setups || "none"}`,
      );
    },
  },
  {
    // As libdatachannel, in OBS, had it: what holds for all sections is said once.
    check: "offer-session-level",
    offer:
      HEAD +
      lines(
        "a=group:BUNDLE 0 1",
        UFRAG,
        PWD,
        "a=ice-options:ice2,trickle",
        "a=setup:actpass",
        FINGERPRINT,
      ) +
      lines(AUDIO, "c=IN IP4 0.0.0.0", CANDIDATE, "a=mid:0", "a=sendonly", MSID, "a=rtcp-mux") +
      opus() +
      source(3_118_662_041) +
      lines(VIDEO, "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendonly", MSID, "a=rtcp-mux") +
      vp8 +
      source(3_118_662_042),
    look: demandRecvonly,
  },
];

export const ODD_CHECKS = ODD_OFFERS.map(({ check }) => check);

/** A session for offers that no browser of one kind would make. */
export async function playOddOffers(stage: Stage): Promise<void> {
  const { verdicts } = stage;
  const scene = await openScene(stage);
  for (const { check, offer, look } of ODD_OFFERS) {
    const { token } = await scene.session.invite({ publish: ["audio", "video"], subscribe: [] });
    await verdicts.judge(check, async () => {
      const door = await HttpDoor.open(scene.session, "whip", token, offer).catch(
        (fault: unknown) => {
          const reject = scene.conversation.saidOf("reject").at(-1)?.message.reason;
          if (!(fault instanceof Failure) || reject === undefined) throw fault;
          throw new Failure(`${fault.message} (reject: ${reject})`);
        },
      );
      try {
        look(sectionsOf(door.answer));
      } finally {
        await door.end();
      }
    });
  }
  await scene.session.end();
}
