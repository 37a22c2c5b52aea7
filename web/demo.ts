import type { Session, SignallingState } from "../client/duplex.ts";
import { createPeer, createSession, Refusal, useApiKey } from "./back-end.ts";
import { Call } from "./call.ts";
import { element, make, setText } from "./element.ts";
import { FlowTable } from "./flow-table.ts";
import { openLocalMedia, stop } from "./local-media.ts";
import { Tiles } from "./tiles.ts";
import { bitrate, wordsForClose, wordsForMedia, wordsForProblem } from "./words.ts";

declare global {
  interface Window {
    /** For tests that drive the page. */
    duplexDemo: { session?: Session };
  }
}

const MEASURE_MS = 1000;
const NOTICE_MS = 12_000;
const SIGNALLING_WORDS: Readonly<Record<SignallingState, string>> = {
  connected: "Signalling connected",
  reconnecting: "Reconnecting…",
  closed: "Signalling closed",
};

const page = {
  lobby: element("lobby", HTMLElement),
  call: element("call", HTMLElement),
  entry: element("entry", HTMLFormElement),
  name: element("name", HTMLInputElement),
  start: element("start", HTMLButtonElement),
  join: element("join", HTMLButtonElement),
  keyForm: element("key-form", HTMLFormElement),
  key: element("key", HTMLInputElement),
  notices: element("notices", HTMLElement),
  signalling: element("signalling", HTMLElement),
  signallingText: element("signalling-text", HTMLElement),
  copy: element("copy", HTMLButtonElement),
  alone: element("alone", HTMLElement),
  mute: element("mute", HTMLButtonElement),
  camera: element("camera", HTMLButtonElement),
  share: element("share", HTMLButtonElement),
  leave: element("leave", HTMLButtonElement),
  ended: element("ended", HTMLInputElement),
  flowsSum: element("flows-sum", HTMLElement),
  noFlows: element("no-flows", HTMLElement),
};
const tiles = new Tiles(element("tiles", HTMLElement));
const flowTable = new FlowTable(element("flows", HTMLTableElement));
let call: Call | undefined;
window.duplexDemo = {};

const sessionInLink = (): string => decodeURIComponent(location.hash.slice(1));

function notice(text: string): void {
  const shown = [...page.notices.children].some((one) => one.firstChild?.textContent === text);
  if (shown) return;
  const line = make("div", "notice");
  const dismiss = make("button", "dismiss", "✕");
  dismiss.type = "button";
  dismiss.setAttribute("aria-label", "Dismiss");
  dismiss.addEventListener("click", () => line.remove());
  line.append(make("p", "", text), dismiss);
  page.notices.append(line);
  setTimeout(() => line.remove(), NOTICE_MS);
}

function showLobby(): void {
  const joining = sessionInLink() !== "";
  document.body.dataset.view = "lobby";
  page.lobby.hidden = false;
  page.call.hidden = true;
  page.copy.hidden = true;
  page.start.hidden = joining;
  page.join.hidden = !joining;
  page.name.value = localStorage.getItem("duplex-name") ?? "";
  if (joining) {
    setText(element("lobby-title", HTMLElement), "You are invited to a call");
    setText(element("lobby-text", HTMLElement), "Join with your camera and microphone.");
  }
}

function showControl(button: HTMLButtonElement, pressed: boolean, text: string): void {
  button.setAttribute("aria-pressed", String(pressed));
  const label = button.querySelector("[data-text]");
  if (label !== null) setText(label, text);
}

function showFlows(current: Call): void {
  const { flows, up, down } = flowTable.show(current.session, page.ended.checked);
  page.noFlows.hidden = flows > 0;
  setText(page.flowsSum, flows === 0 ? "" : `${flows} flows, ↑ ${bitrate(up)}, ↓ ${bitrate(down)}`);
}

function showCall(): void {
  if (call === undefined) return;
  const { session } = call;
  document.body.dataset.view = "call";
  page.lobby.hidden = true;
  page.call.hidden = false;
  page.copy.hidden = false;
  page.alone.hidden = session.peers.size > 0;
  page.signalling.hidden = false;
  page.signalling.dataset.state = session.state;
  setText(page.signallingText, SIGNALLING_WORDS[session.state]);
  page.mute.disabled = !call.has("audio");
  page.camera.disabled = !call.has("video");
  showControl(page.mute, call.off("audio"), call.off("audio") ? "Unmute" : "Mute");
  showControl(page.camera, call.off("video"), call.off("video") ? "Camera on" : "Camera off");
  showControl(page.share, call.sharing, call.sharing ? "Stop sharing" : "Share screen");
  showFlows(call);
}

function endCall(text: string): void {
  call = undefined;
  window.duplexDemo = {};
  flowTable.clear();
  page.signalling.hidden = true;
  showLobby();
  notice(text);
}

/** Creates the session when the link names none, then the peer: what a back end does for its users. */
async function enter(): Promise<void> {
  const name = page.name.value.trim() || "Guest";
  localStorage.setItem("duplex-name", page.name.value.trim());
  const media = openLocalMedia();
  try {
    const id = sessionInLink() || (await createSession());
    const invitation = await createPeer(id, name);
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    const { stream, error } = await media;
    if (error !== undefined) notice(wordsForMedia(error));
    call = await Call.join(invitation, stream, tiles, {
      changed: showCall,
      problem: (code, detail) => notice(wordsForProblem(code, detail)),
      closed: ({ code, reason }) => endCall(wordsForClose(code, reason)),
    });
    window.duplexDemo = { session: call.session };
    showCall();
    page.copy.focus();
  } catch (thrown) {
    stop((await media).stream);
    refuse(thrown);
  }
}

function refuse(thrown: unknown): void {
  if (thrown instanceof Refusal && thrown.status === 401) {
    page.keyForm.hidden = false;
    page.key.focus();
    return;
  }
  const { code = "unreachable", message = "" } = thrown as { code?: string; message?: string };
  notice(wordsForProblem(code, message));
}

async function enterOnce(): Promise<void> {
  const buttons = [page.start, page.join];
  for (const button of buttons) button.disabled = true;
  page.entry.setAttribute("aria-busy", "true");
  await enter();
  page.entry.removeAttribute("aria-busy");
  for (const button of buttons) button.disabled = false;
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    setText(page.copy, "Link copied");
  } catch {
    // Without permission for the clipboard the person copies it by hand.
    prompt("Copy this link", location.href);
  }
  setTimeout(() => setText(page.copy, "Copy link"), 2000);
}

page.entry.addEventListener("submit", (event) => {
  event.preventDefault();
  enterOnce().catch(reportError);
});
page.keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  useApiKey(page.key.value.trim());
  page.key.value = "";
  page.keyForm.hidden = true;
  enterOnce().catch(reportError);
});
page.copy.addEventListener("click", () => {
  copyLink().catch(reportError);
});
page.mute.addEventListener("click", () => call?.toggle("audio"));
page.camera.addEventListener("click", () => call?.toggle("video"));
page.share.addEventListener("click", () => {
  if (call?.sharing === true) call.stopSharing();
  else call?.share().catch(reportError);
});
page.leave.addEventListener("click", () => call?.leave());
page.ended.addEventListener("change", showCall);
addEventListener("hashchange", () => {
  if (call === undefined) showLobby();
});
// Others must not look at a frozen picture until the resume window is over.
addEventListener("pagehide", () => call?.leave("page closed"));
setInterval(() => {
  const current = call;
  if (current === undefined || document.visibilityState === "hidden") return;
  flowTable
    .refresh(current.session, page.ended.checked)
    .then(() => {
      if (call === current) showFlows(current);
    })
    .catch(reportError);
}, MEASURE_MS);

showLobby();
