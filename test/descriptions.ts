/** Small descriptions that a browser would take, made to measure. */
export interface Shape {
  /** Whose it is: every peer has a certificate and credentials of its own. */
  of?: string;
  ufrag?: string;
  version?: number;
  setup?: "actpass" | "active" | "passive";
  sections?: readonly {
    kind: "audio" | "video" | "application";
    mid?: string;
    direction?: "sendrecv" | "sendonly" | "recvonly" | "inactive";
    port?: number;
    ssrc?: number;
  }[];
}

const CODEC = { audio: "111 opus/48000/2", video: "96 VP8/90000" } as const;

/** The text of a description of this shape; audio alone, sendrecv, when the shape says nothing. */
export function sdpOf(shape: Shape = {}): string {
  const { version = 1, setup = "actpass" } = shape;
  const { of = setup === "actpass" ? "alice" : "bob" } = shape;
  const { ufrag = of === "alice" ? "abcd" : `ufrag${of}` } = shape;
  const sections = shape.sections ?? [{ kind: "audio" as const }];
  const mids = sections.map((section, index) => section.mid ?? String(index));
  const lines = [
    "v=0",
    `o=- 4611731400430051336 ${version} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${mids.join(" ")}`,
  ];
  sections.forEach((section, index) => {
    const { kind, direction = "sendrecv", port = 9, ssrc } = section;
    const data = kind === "application";
    lines.push(
      data
        ? `m=application ${port} UDP/DTLS/SCTP webrtc-datachannel`
        : `m=${kind} ${port} UDP/TLS/RTP/SAVPF ${CODEC[kind].split(" ")[0]}`,
      "c=IN IP4 0.0.0.0",
      `a=ice-ufrag:${ufrag}`,
      `a=ice-pwd:${ufrag}0123456789012345678901`,
      `a=fingerprint:sha-256 ${certificateOf(of)}`,
      `a=setup:${setup}`,
      `a=mid:${mids[index]}`,
    );
    if (data) lines.push("a=sctp-port:5000", "a=max-message-size:262144");
    else {
      lines.push(`a=${direction}`, "a=rtcp-mux", `a=rtpmap:${CODEC[kind]}`);
      if (ssrc !== undefined) lines.push(`a=ssrc:${ssrc} cname:${of}${ssrc}`);
    }
  });
  return `${lines.join("\r\n")}\r\n`;
}

/** 32 octets that a name has to itself. */
const certificateOf = (name: string): string =>
  Array.from({ length: 32 }, (_none, index) =>
    ((name.charCodeAt(index % name.length) * (index + 1)) % 256)
      .toString(16)
      .padStart(2, "0")
      .toUpperCase(),
  ).join(":");

/** A host candidate of one generation. */
export function candidateOf(n: number, ufrag = "abcd", mid = "0") {
  return {
    candidate: `candidate:${n} 1 udp 2113937151 192.0.2.${n % 250} ${40_000 + n} typ host ufrag ${ufrag}`,
    sdpMid: mid,
    sdpMLineIndex: 0,
    usernameFragment: ufrag,
  };
}
