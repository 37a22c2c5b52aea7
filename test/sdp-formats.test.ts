import { FORMAT_RULES } from "../protocol/sdp/rules/formats.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  insertAfter,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const CHROMIUM = "chromium.max-bundle";
const AUDIO_LINE = /^m=audio .*$/m;
const audioLine = (formats: string): string => `m=audio 9 UDP/TLS/RTP/SAVPF${formats}`;

proveRules(FORMAT_RULES, {
  "payload-list-empty": {
    accepted: [
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(" 0")))),
      // A rejected section may say anything, a data section has no payload types.
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, "m=audio 0 UDP/TLS/RTP/SAVPF"))),
      offer(CHROMIUM, replace(" webrtc-datachannel", "")),
      // What is no RTP has no payload types either.
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, "m=audio 9 FOO/RTP"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine("")))), {
        at: audioLine(""),
      }),
      expecting(answer("firefox.recvonly", inSection(1, replace(/^(m=video \S+ \S+).*$/m, "$1"))), {
        at: /^m=video \d+ UDP\/TLS\/RTP\/SAVPF$/,
      }),
    ],
  },
  "payload-type-range": {
    accepted: [
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(" 111 127 0")))),
      offer("firefox.legacy-profile-RTP-AVP"),
      offer(CHROMIUM, replace("SCTP webrtc-datachannel", "SCTP 5000")),
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, "m=audio 0 UDP/TLS/RTP/SAVPF 128"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(0, replace(/ 111 /, " 128 "))), {
        at: /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 128 /,
        says: /^payload type 128: /,
      }),
      expecting(offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(" 0 opus -1 1000")))), {
        times: 3,
      }),
      // A number said twice is one finding, and no name of any length comes back.
      expecting(offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(" 300 300 0")))), {}),
      expecting(
        offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(` 0 ${"x".repeat(999)}`)))),
        { says: /^payload type x{32}: / },
      ),
    ],
  },
  "payload-type-rtcp-conflict": {
    accepted: [
      // Chromium itself numbers codecs from 35 on.
      offer(CHROMIUM),
      offer(CHROMIUM, inSection(0, replace(/(?<= |:)111\b/g, "96"))),
      // RTCP has a port of its own.
      offer(
        "firefox.legacy-profile-RTP-AVP",
        remove(/^a=rtcp-mux$/),
        replace(/(?<= |:)109\b/g, "72"),
      ),
      offer(CHROMIUM, inSection(0, replace(/ 111 /, " 728 "))),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(1, replace(/(?<= |:|=)96\b/g, "72"))), {
        at: /^m=video 9 UDP\/TLS\/RTP\/SAVPF 72 97 /,
        says: /^payload type 72: /,
      }),
      offer(CHROMIUM, inSection(0, replace(/(?<= |:)111\b/g, "64"))),
      offer(CHROMIUM, inSection(0, replace(/(?<= |:)111\b/g, "95"))),
      // rtcp-mux comes from the tagged section of the bundle.
      offer(CHROMIUM, inSection(1, remove(/^a=rtcp-mux$/), replace(/(?<= |:|=)96\b/g, "72"))),
    ],
  },
  "payload-type-repeated": {
    accepted: [
      offer(CHROMIUM),
      // The same payload type in two sections is one list each.
      offer("chromium.two-video-tracks"),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(1, replace(" 96 97 ", " 96 97 96 97 96 "))), {
        times: 2,
        at: /^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 97 96 /,
        says: /^payload type 96: /,
      }),
    ],
  },
  "rtpmap-missing": {
    accepted: [
      // 0-34 need none.
      offer(CHROMIUM, remove(/^a=rtpmap:(?:0|8|9|13) /)),
      // One that cannot be read is another thing.
      offer(CHROMIUM, replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus")),
      offer(CHROMIUM, inSection(0, replace(AUDIO_LINE, audioLine(" 0 200")))),
    ],
    refused: [
      expecting(offer(CHROMIUM, remove(/^a=rtpmap:96 /)), {
        at: /^m=video /,
        says: /^payload type 96: /,
      }),
      expecting(offer(CHROMIUM, remove(/^a=rtpmap:(?:96|39|111) /)), { times: 3 }),
      offer(CHROMIUM, replace(/^a=rtpmap:96 .*$/m, "a=rtpmap:")),
    ],
  },
  "rtpmap-no-clock-rate": {
    accepted: [
      offer(CHROMIUM),
      // Firefox says that G722 has one channel.
      offer("firefox.recvonly"),
      // What follows the clock rate is not looked at here.
      offer(CHROMIUM, replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90000/x")),
      offer(CHROMIUM, append(2, "a=rtpmap:webrtc-datachannel x")),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus")), {
        at: "a=rtpmap:111 opus",
      }),
      expecting(offer(CHROMIUM, replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/fast")), {
        at: "a=rtpmap:96 VP8/fast",
      }),
      expecting(offer(CHROMIUM, replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90kHz")), {
        at: "a=rtpmap:96 VP8/90kHz",
      }),
      expecting(offer(CHROMIUM, insertAfter(/^a=rtpmap:96 /, "a=rtpmap")), { at: "a=rtpmap" }),
      expecting(offer(CHROMIUM, insertAfter(/^a=rtpmap:96 /, "a=rtpmap:96")), {
        at: "a=rtpmap:96",
      }),
    ],
  },
  "rtpmap-unlisted-pt": {
    accepted: [
      offer(CHROMIUM),
      answer("chromium-to-aiortc.audio-video-sendrecv"),
      // Rejected sections keep the lines of another m-line.
      offer(CHROMIUM, inSection(1, replace(/^m=video 9 (\S+) .*$/m, "m=video 0 $1 0"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=rtpmap:77 FOO/90000", "a=rtpmap:77 BAR/90000")), {
        at: "a=rtpmap:77 FOO/90000",
        says: /^payload type 77: /,
      }),
      expecting(offer(CHROMIUM, append(1, "a=rtpmap:111 opus/48000/2")), {
        at: "a=rtpmap:111 opus/48000/2",
      }),
    ],
  },
  "fmtp-unknown-pt": {
    accepted: [offer(CHROMIUM), offer(CHROMIUM, append(1, "a=fmtp:120 x=y"))],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=fmtp:33 x=y")), {
        at: "a=fmtp:33 x=y",
        says: /^payload type 33: /,
      }),
      expecting(offer(CHROMIUM, inSection(0, replace(" 111 ", " "), remove(/^a=fmtp:63/))), {
        at: "a=fmtp:111 minptime=10;useinbandfec=1",
      }),
    ],
  },
  "rtcp-fb-unknown-pt": {
    accepted: [
      offer("firefox.recvonly"),
      offer(CHROMIUM, append(1, "a=rtcp-fb:* ack ccfb")),
      // What names no payload type is not read as one.
      offer(CHROMIUM, append(1, "a=rtcp-fb:x nack")),
    ],
    refused: [
      // Firefox leaves the feedback of codecs that the application turned off.
      expecting(offer("firefox.codec-prefs"), { times: 4, at: "a=rtcp-fb:120 nack" }),
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:77 nack")), { at: "a=rtcp-fb:77 nack" }),
    ],
  },
  "rtcp-fb-syntax": {
    accepted: [
      // Pion ends them with a blank.
      offer("pion.audio-video-sendrecv"),
      offer(CHROMIUM, append(1, "a=rtcp-fb:* ccm tmmbr smaxpr=120", "a=rtcp-fb:96 x-new_thing")),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:96")), { at: "a=rtcp-fb:96" }),
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:nack pli")), { at: "a=rtcp-fb:nack pli" }),
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:96 <nack>")), { at: "a=rtcp-fb:96 <nack>" }),
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb")), { at: "a=rtcp-fb" }),
    ],
  },
  "rtcp-trr-int-large": {
    accepted: [
      offer(CHROMIUM, append(1, "a=rtcp-fb:* trr-int 5000")),
      offer(CHROMIUM, append(1, "a=rtcp-fb:* trr-int")),
      offer(CHROMIUM, append(2, "a=rtcp-fb:* trr-int 60000")),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:* trr-int 60000")), {
        at: "a=rtcp-fb:* trr-int 60000",
      }),
      expecting(offer(CHROMIUM, append(1, "a=rtcp-fb:96 TRR-INT 5001")), {
        at: "a=rtcp-fb:96 TRR-INT 5001",
      }),
    ],
  },
  "rtx-no-apt": {
    accepted: [
      offer(CHROMIUM),
      offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 rtx-time=3000; APT=96")),
      // In a line of its own.
      offer(CHROMIUM, insertAfter(/^a=fmtp:97 /, "a=fmtp:97 rtx-time=3000")),
      // Nothing lists it.
      offer(CHROMIUM, append(1, "a=rtpmap:77 rtx/90000")),
    ],
    refused: [
      expecting(offer(CHROMIUM, remove(/^a=fmtp:97 /)), {
        at: "a=rtpmap:97 rtx/90000",
        says: /^payload type 97: /,
      }),
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 rtx-time=3000")), {
        at: "a=rtpmap:97 rtx/90000",
      }),
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=VP8")), {
        at: "a=fmtp:97 apt=VP8",
      }),
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 =96")), {
        at: "a=rtpmap:97 rtx/90000",
      }),
    ],
  },
  "rtx-apt-dangling": {
    accepted: [
      offer(CHROMIUM),
      offer(CHROMIUM, remove(/^a=fmtp:97 /)),
      // Listed, but nothing says what it is.
      offer(CHROMIUM, remove(/^a=rtpmap:96 /)),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=77")), {
        at: "a=fmtp:97 apt=77",
        says: /^payload type 97: /,
      }),
      // The codec was taken off the m-line, its rtx was forgotten.
      expecting(offer(CHROMIUM, inSection(1, replace(" 96 97 ", " 97 "))), {
        at: "a=fmtp:97 apt=96",
      }),
      expecting(answer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=111")), {
        at: "a=fmtp:97 apt=111",
      }),
    ],
  },
  "rtx-apt-rtx": {
    accepted: [
      offer(CHROMIUM),
      // Chromium repairs red as well.
      offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=118")),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=103")), {
        at: "a=fmtp:97 apt=103",
      }),
      expecting(offer(CHROMIUM, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=97")), {
        at: "a=fmtp:97 apt=97",
      }),
    ],
  },
  "rtx-clock-rate": {
    accepted: [
      offer(CHROMIUM),
      // Audio with retransmission of a codec that needs no rtpmap.
      offer(
        CHROMIUM,
        inSection(
          0,
          replace(" 126", " 126 98"),
          remove(/^a=rtpmap:0 /),
          (part) => `${part}a=rtpmap:98 rtx/8000\r\na=fmtp:98 apt=0\r\n`,
        ),
      ),
      // What rtx must not repair is not compared.
      offer(
        CHROMIUM,
        replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=103"),
        replace("a=rtpmap:97 rtx/90000", "a=rtpmap:97 rtx/8000"),
      ),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("a=rtpmap:97 rtx/90000", "a=rtpmap:97 rtx/8000")), {
        at: "a=fmtp:97 apt=96",
        says: /^payload type 97: /,
      }),
    ],
  },
  "red-dangling": {
    accepted: [
      offer(CHROMIUM),
      // Of video, red has no list; of another codec the slashes mean something else.
      offer(CHROMIUM, insertAfter(/^a=rtpmap:118 /, "a=fmtp:118 x=112/113")),
      offer(CHROMIUM, insertAfter(/^a=rtpmap:9 /, "a=fmtp:9 112/113")),
      offer(CHROMIUM, replace("a=fmtp:63 111/111", "a=fmtp:63 111/0/8 ")),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("a=fmtp:63 111/111", "a=fmtp:63 111/112")), {
        at: "a=fmtp:63 111/112",
        says: /^payload type 112: /,
      }),
      expecting(offer(CHROMIUM, replace("a=fmtp:63 111/111", "a=fmtp:63 112")), {
        at: "a=fmtp:63 112",
      }),
    ],
  },
  "fec-without-red": {
    accepted: [
      offer(CHROMIUM),
      offer("firefox.recvonly"),
      offer(CHROMIUM, remove(/^a=rtpmap:(?:118|120) /)),
    ],
    refused: [
      expecting(offer("pion.audio-video-sendrecv"), { at: "a=rtpmap:116 ulpfec/90000" }),
      // red of the audio section is no help to video.
      expecting(offer(CHROMIUM, inSection(1, replace(" 118 119 ", " 119 "))), {
        at: "a=rtpmap:120 ulpfec/90000",
      }),
    ],
  },
});
