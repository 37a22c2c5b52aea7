import { join } from "duplex";

/** @type {<T extends HTMLElement>(id: string) => T} */
const element = (id) => /** @type {any} */ (document.getElementById(id));
/** @type {HTMLButtonElement} */
const joinButton = element("join");
/** @type {HTMLButtonElement} */
const leaveButton = element("leave");
const state = element("state");

/** The video of each stream that is shown.
 * @type {Map<string, HTMLVideoElement>} */
const videos = new Map();

/** @type {(stream: MediaStream, isOwn: boolean) => void} */
const show = (stream, isOwn) => {
  const video = videos.get(stream.id) ?? document.createElement("video");
  video.autoplay = true;
  video.playsInline = true;
  video.muted = isOwn;
  video.srcObject = stream;
  videos.set(stream.id, video);
  element("videos").append(video);
};

/** @type {(stream: MediaStream) => void} */
const hide = (stream) => {
  videos.get(stream.id)?.remove();
  videos.delete(stream.id);
};

/** A token for this page, and where to use it. */
const invitation = async () => {
  const answer = await fetch(`/invite?call=${encodeURIComponent(location.hash)}`, {
    method: "POST",
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};

const start = async () => {
  const { token, signalling } = await invitation();
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const session = await join({ url: signalling.url, token });

  for (const track of camera.getTracks()) session.publish(track, camera);
  show(camera, true);

  session.on("track", ({ streams }) => {
    for (const stream of streams) show(stream, false);
  });
  session.on("track-ended", ({ streams }) => streams.forEach(hide));
  session.on("problem", ({ error }) => reportError(error));
  session.on("state", (now) => {
    state.textContent = now;
  });
  session.on("closed", () => {
    for (const track of camera.getTracks()) track.stop();
    for (const video of videos.values()) video.remove();
    videos.clear();
    leaveButton.disabled = true;
    joinButton.disabled = false;
  });
  leaveButton.onclick = () => session.leave();
  leaveButton.disabled = false;
  state.textContent = session.state;
};

joinButton.onclick = async () => {
  joinButton.disabled = true;
  try {
    await start();
  } catch (error) {
    state.textContent = String(error);
    joinButton.disabled = false;
  }
};
