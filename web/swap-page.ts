import { SwapEndpoint } from "../client/swap.ts";
import type { SwapCall } from "../client/swap-call.ts";
import { element, make, setText } from "./element.ts";
import { Notices } from "./notices.ts";

/** Two endpoints of SWAP in a call: register by name, call by name. */

declare global {
  interface Window {
    /** For tests that drive the page. */
    swapDemo: { endpoint?: SwapEndpoint; call?: SwapCall };
  }
}

const HELLO = "urn:duplex:demo:hello";

const page = {
  register: element("register", HTMLFormElement),
  own: element("own", HTMLInputElement),
  dial: element("dial", HTMLFormElement),
  callee: element("callee", HTMLInputElement),
  incoming: element("incoming", HTMLElement),
  incomingText: element("incoming-text", HTMLElement),
  accept: element("accept", HTMLButtonElement),
  reject: element("reject", HTMLButtonElement),
  call: element("call", HTMLElement),
  state: element("call-state", HTMLElement),
  ownVideo: element("own-video", HTMLVideoElement),
  other: element("other", HTMLElement),
  camera: element("camera", HTMLButtonElement),
  hello: element("hello", HTMLButtonElement),
  close: element("close", HTMLButtonElement),
  log: element("log", HTMLOListElement),
};
const notices = new Notices(element("notices", HTMLElement));
const otherVideo = make("video");
otherVideo.autoplay = true;
otherVideo.playsInline = true;
page.other.prepend(otherVideo);
/** What this side sends, and what comes. */
const own = new MediaStream();
const other = new MediaStream();
let endpoint: SwapEndpoint | undefined;
let call: SwapCall | undefined;
let ringing: SwapCall | undefined;
window.swapDemo = {};

function tell(thrown: unknown): void {
  const { detail, message } = thrown as { detail?: string; message?: string };
  notices.show(detail || message || String(thrown), { passing: true });
}

const act = (what: () => Promise<void>) => (event: Event) => {
  event.preventDefault();
  what().catch(tell);
};

async function addTracks(kind: "audio" | "video", connection: RTCPeerConnection): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ [kind]: true });
  for (const track of stream.getTracks()) {
    own.addTrack(track);
    connection.addTrack(track, own);
  }
}

function show(current: SwapCall): void {
  call = current;
  window.swapDemo.call = current;
  const { connection } = current;
  connection.addEventListener("track", ({ track }) => other.addTrack(track));
  const showState = () => {
    page.state.dataset.state = connection.connectionState;
    setText(page.state, `Media: ${connection.connectionState}`);
  };
  connection.addEventListener("connectionstatechange", showState);
  showState();
  // Not before: an element that waits for its first picture keeps the page from being loaded.
  page.ownVideo.srcObject = own;
  otherVideo.srcObject = other;
  page.call.hidden = false;
  page.dial.hidden = true;
  page.incoming.hidden = true;
  page.camera.disabled = false;
}

function listen(current: SwapCall): void {
  current.on("application", ({ type, value }) => {
    const item = document.createElement("li");
    setText(item, `${type}: ${JSON.stringify(value)}`);
    page.log.append(item);
  });
  current.on("problem", ({ error }) => tell(error));
  current.on("closed", ({ reason }) => over(current, reason));
}

function over(current: SwapCall, reason: string): void {
  if (ringing === current) ringing = undefined;
  page.incoming.hidden = ringing === undefined;
  if (call === current) call = undefined;
  if (call) return;
  for (const stream of [own, other]) {
    for (const track of stream.getTracks()) {
      if (stream === own) track.stop();
      stream.removeTrack(track);
    }
  }
  page.call.hidden = true;
  page.dial.hidden = false;
  page.log.replaceChildren();
  notices.show(`The call is over: ${reason}`, { passing: true });
}

function ring(incoming: SwapCall): void {
  if (call || ringing) {
    incoming.reject("busy").catch(tell);
    return;
  }
  ringing = incoming;
  listen(incoming);
  // SWAP names who calls by an id alone: its start tells one from another.
  const caller =
    incoming.partner === undefined ? "Somebody" : `Endpoint ${incoming.partner.slice(0, 8)}`;
  setText(page.incomingText, `${caller} calls you.`);
  page.incoming.hidden = false;
  page.accept.focus();
}

async function register(): Promise<void> {
  const name = page.own.value.trim();
  if (name === "") return;
  endpoint = await SwapEndpoint.connect({
    url: "/3gpp-swap/v1",
    criteria: [{ type: "user", value: name }],
  });
  window.swapDemo.endpoint = endpoint;
  endpoint.on("incoming", ({ call: incoming }) => ring(incoming));
  endpoint.on("closed", ({ reason }) => {
    page.register.hidden = false;
    page.dial.hidden = true;
    notices.show(`You cannot be called any more: ${reason}`, { passing: false });
  });
  page.register.hidden = true;
  page.dial.hidden = false;
  setText(element("swap-text", HTMLElement), `You are ${name}. Others call you by this name.`);
  page.callee.focus();
}

async function dial(): Promise<void> {
  const callee = page.callee.value.trim();
  if (!endpoint || callee === "") return;
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of stream.getTracks()) own.addTrack(track);
  const to = { criteria: [{ type: "user", value: callee }] };
  const current = await endpoint.call(to, (connection) => {
    for (const track of own.getTracks()) connection.addTrack(track, own);
  });
  listen(current);
  show(current);
}

async function accept(): Promise<void> {
  const current = ringing;
  if (!current) return;
  ringing = undefined;
  show(current);
  await addTracks("audio", current.connection);
  await current.accept();
}

page.register.addEventListener("submit", act(register));
page.dial.addEventListener("submit", act(dial));
page.accept.addEventListener("click", act(accept));
page.reject.addEventListener(
  "click",
  act(async () => ringing?.reject()),
);
page.camera.addEventListener(
  "click",
  act(async () => {
    page.camera.disabled = true;
    if (call) await addTracks("video", call.connection);
  }),
);
page.hello.addEventListener(
  "click",
  act(async () => call?.send(HELLO, { text: "hello" })),
);
page.close.addEventListener(
  "click",
  act(async () => call?.close()),
);
addEventListener("pagehide", () => {
  endpoint?.leave().catch(() => undefined);
});
