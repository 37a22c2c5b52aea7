import type { Flow } from "../protocol/flow.ts";

/** Shares of simulcast layers in a limit: by pixels, as they cost. */
function shares(encodings: readonly RTCRtpEncodingParameters[]): number[] {
  const weights = encodings.map(({ scaleResolutionDownBy = 1 }) => 1 / scaleResolutionDownBy ** 2);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Changes the parameters to what the flow's record demands; false when they say so already. */
function steer(parameters: RTCRtpSendParameters, flow: Flow): boolean {
  const before = JSON.stringify(parameters.encodings);
  const share = shares(parameters.encodings);
  const { effectiveBps } = flow.limits;
  parameters.encodings.forEach((encoding, index) => {
    encoding.active = flow.state !== "held";
    encoding.priority = flow.priority;
    if (effectiveBps === undefined) delete encoding.maxBitrate;
    else encoding.maxBitrate = Math.max(1, Math.round(effectiveBps * (share[index] ?? 1)));
  });
  return JSON.stringify(parameters.encodings) !== before;
}

/**
 * Makes the sender of a flow obey its record (M5): held, bit rate, priority. A held flow stays negotiated;
 * its encodings are switched off.
 */
export async function obey(connection: RTCPeerConnection, flow: Flow): Promise<void> {
  const sender = connection.getTransceivers().find(({ mid }) => mid === flow.mid)?.sender;
  if (sender === undefined || flow.state === "ended" || flow.state === "proposed") return;
  const parameters = sender.getParameters();
  if (parameters.encodings.length === 0 || !steer(parameters, flow)) return;
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    // The section was renegotiated or stopped meanwhile; the next record of the flow comes with it.
    const passing = error instanceof DOMException && error.name.startsWith("Invalid");
    if (!passing) throw error;
  }
}
