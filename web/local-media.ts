/** What this device can send. */
export interface LocalMedia {
  readonly stream: MediaStream;
  /** Why something is missing, if something is. */
  readonly error?: unknown;
}

const CAMERA: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 } };

/** Camera and microphone, or the one of them that can be had, or an empty stream and the reason. */
export async function openLocalMedia(): Promise<LocalMedia> {
  const attempts: MediaStreamConstraints[] = [
    { audio: true, video: CAMERA },
    { audio: true },
    { video: CAMERA },
  ];
  let error: unknown;
  for (const constraints of attempts) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      return error === undefined ? { stream } : { stream, error };
    } catch (thrown) {
      error ??= thrown;
      // A refusal holds for all that was asked for; asking again would only ask the person again.
      if (thrown instanceof DOMException && thrown.name === "NotAllowedError") break;
    }
  }
  return { stream: new MediaStream(), error };
}

/** Browsers of phones have no screen sharing. */
export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/** A screen or window of the person's choice; undefined when they chose none. */
export async function openScreen(): Promise<MediaStream | undefined> {
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } });
  } catch {
    return undefined;
  }
}

export function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
