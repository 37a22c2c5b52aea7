/** Tells where a picture begins that needs no other: a stream may be switched to there. */

// RFC 7741 s4.2 and s4.3: after the payload descriptor of a frame's first packet, bit 0 is 0 for a key frame.
function vp8(payload: Uint8Array): boolean {
  const [first = 0, extension = 0, pictureId = 0] = payload;
  const beginsFrame = (first & 0x10) !== 0 && (first & 0x07) === 0;
  if (!beginsFrame) return false;
  let length = 1;
  if (first & 0x80) {
    length += 1;
    if (extension & 0x80) length += pictureId & 0x80 ? 2 : 1;
    if (extension & 0x40) length += 1;
    if (extension & 0x30) length += 1;
  }
  const header = payload[length];
  return header !== undefined && (header & 0x01) === 0;
}

const H264_SLICE_IDR = 5;
const H264_SEQUENCE_PARAMETERS = 7;
const H264_STAP_A = 24;
const H264_FU_A = 28;

// RFC 6184 s5.4 to s5.8: the type of the NAL unit, or of the first one in an aggregate or fragment.
function h264(payload: Uint8Array): boolean {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === H264_STAP_A) return ((payload[3] ?? 0) & 0x1f) === H264_SEQUENCE_PARAMETERS;
  if (type === H264_FU_A) {
    const header = payload[1] ?? 0;
    return (header & 0x80) !== 0 && (header & 0x1f) === H264_SLICE_IDR;
  }
  return type === H264_SEQUENCE_PARAMETERS || type === H264_SLICE_IDR;
}

// RFC 9628 s4.2: not predicted from another picture (P), and its beginning (B).
function vp9(payload: Uint8Array): boolean {
  const first = payload[0] ?? 0;
  return (first & 0x40) === 0 && (first & 0x08) !== 0;
}

/** Whether a packet begins a key frame. Any packet of audio is a good place to begin. */
export function beginsKeyframe(mimeType: string, payload: Uint8Array): boolean {
  switch (mimeType.toLowerCase()) {
    case "video/vp8":
      return vp8(payload);
    case "video/h264":
      return h264(payload);
    case "video/vp9":
      return vp9(payload);
    default:
      return true;
  }
}
