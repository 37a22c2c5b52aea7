import type { Flow, Session, SignallingState } from "../client/duplex.ts";
import {
  createObserver,
  createPeer,
  createSession,
  hasKey,
  keepApiKey,
  Refusal,
} from "./back-end.ts";
import { Call } from "./call.ts";
import { element, setText } from "./element.ts";
import { showFaultButtons } from "./fault-buttons.ts";
import { FlowTable } from "./flow-table.ts";
import { Lobby } from "./lobby.ts";
import { canShareScreen, openLocalMedia, stop } from "./local-media.ts";
import { Notices } from "./notices.ts";
import { Tiles } from "./tiles.ts";
import { bitrate, wordsForClose, wordsForMedia, wordsForProblem } from "./words.ts";

declare global {
  interface Window {
    /** For tests that drive the page. */
    duplexDemo: { session?: Session<Flow> };
  }
}

const MEASURE_MS = 1000;
const COPIED_MS = 2000;
/** Close code of a session that its application ended. */
const SESSION_ENDED = 4000;
const SIGNALLING_WORDS: Readonly<Record<SignallingState, string>> = {
  connected: "Online",
  reconnecting: "Reconnecting…",
  closed: "Offline",
};

const page = {
  call: element("call", HTMLElement),
  keyForm: element("key-form", HTMLFormElement),
  key: element("key", HTMLInputElement),
  signalling: element("signalling", HTMLElement),
  signallingText: element("signalling-text", HTMLElement),
  copy: element("copy", HTMLButtonElement),
  alone: element("alone", HTMLElement),
  link: element("link", HTMLElement),
  invite: element("invite", HTMLButtonElement),
  mute: element("mute", HTMLButtonElement),
  camera: element("camera", HTMLButtonElement),
  share: element("share", HTMLButtonElement),
  leave: element("leave", HTMLButtonElement),
  inspect: element("inspect", HTMLButtonElement),
  ended: element("ended", HTMLInputElement),
  flowsSum: element("flows-sum", HTMLElement),
  noFlows: element("no-flows", HTMLElement),
};
const lobby = new Lobby();
const notices = new Notices(element("notices", HTMLElement));
const tiles = new Tiles(element("tiles", HTMLElement));
const flowTable = new FlowTable(element("flows", HTMLTableElement), (problem) => tell(problem));
let call: Call | undefined;
window.duplexDemo = {};

const sessionInLink = (): string => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    // Cut off in the middle of an escape: no session has such an id, and the server will say so.
    return location.hash.slice(1);
  }
};

function linkTo(session: string): void {
  history.replaceState(null, "", session === "" ? "/" : `#${encodeURIComponent(session)}`);
}

/** Says what went wrong; in a call for a while, in the lobby until the next try. */
function tell({ code, detail }: { readonly code: string; readonly detail: string }): void {
  notices.show(wordsForProblem(code, detail), { passing: call !== undefined });
}

function showLobby(over?: string): void {
  document.body.dataset.view = "lobby";
  page.call.hidden = true;
  page.copy.hidden = true;
  page.signalling.hidden = true;
  lobby.show(sessionInLink() !== "", over);
}

function showControl(button: HTMLButtonElement, off: boolean, text: string): void {
  // The text says what a click does, so the state is not said a second time with aria-pressed.
  button.dataset.on = String(off);
  const label = button.querySelector("[data-text]");
  if (label !== null) setText(label, text);
}

function showFlows(current: Call): void {
  const { shown, live, up, down } = flowTable.show(current.session, page.ended.checked);
  page.noFlows.hidden = shown > 0;
  setText(page.flowsSum, live === 0 ? "" : `${live} flows, ↑ ${bitrate(up)}, ↓ ${bitrate(down)}`);
}

function showCall(): void {
  if (call === undefined) return;
  const { session } = call;
  document.body.dataset.view = "call";
  lobby.hide();
  page.call.hidden = false;
  page.copy.hidden = false;
  page.alone.hidden = [...session.peers.values()].some(({ role }) => role !== "observer");
  setText(page.link, location.href);
  page.signalling.hidden = false;
  page.signalling.dataset.state = session.state;
  setText(page.signallingText, SIGNALLING_WORDS[session.state]);
  page.mute.disabled = !call.has("audio");
  page.camera.disabled = !call.has("video");
  page.share.hidden = !canShareScreen();
  page.inspect.hidden = !hasKey();
  showControl(page.mute, call.off("audio"), call.off("audio") ? "Unmute" : "Mute");
  showControl(page.camera, call.off("video"), call.off("video") ? "Camera on" : "Camera off");
  showControl(page.share, call.sharing, call.sharing ? "Stop sharing" : "Share screen");
  showFlows(call);
}

function endCall(code: number, reason: string): void {
  call = undefined;
  window.duplexDemo = {};
  flowTable.clear();
  notices.clear();
  if (code === SESSION_ENDED) linkTo("");
  showLobby(wordsForClose(code, reason));
}

/** Creates the session when the link names none, then the peer: what a back end does for its users. */
async function enter(): Promise<void> {
  notices.clear();
  const media = openLocalMedia();
  try {
    const id = sessionInLink() || (await createSession());
    const invitation = await createPeer(id, lobby.name);
    linkTo(id);
    const { stream, error } = await media;
    call = await Call.join(invitation, stream, tiles, {
      changed: showCall,
      problem: (code, detail) => tell({ code, detail }),
      closed: ({ code, reason }) => endCall(code, reason),
    });
    window.duplexDemo = { session: call.session };
    showCall();
    if (error !== undefined) notices.show(wordsForMedia(error), { passing: true });
    page.copy.focus();
  } catch (thrown) {
    // Not awaited: the browser may still be asking for the camera.
    media.then(({ stream }) => stop(stream)).catch(reportError);
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
  if (code === "session-not-found") {
    linkTo("");
    showLobby();
  }
  tell({ code, detail: message });
}

const enterOnce = (): void => {
  lobby.busy(enter()).catch(reportError);
};

async function copyLink(button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    setText(button, "Link copied");
  } catch {
    // Without permission for the clipboard the person copies it by hand.
    prompt("Copy this link", location.href);
  }
  setTimeout(() => setText(button, "Copy link"), COPIED_MS);
}

/** In a tab of its own, which gets what this one keeps: the token of an observer. */
async function inspect(id: string): Promise<void> {
  await createObserver(id);
  open(`/inspect/${encodeURIComponent(id)}`);
}

lobby.onEnter(enterOnce);
page.keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  keepApiKey(page.key.value.trim());
  page.key.value = "";
  page.keyForm.hidden = true;
  enterOnce();
});
for (const button of [page.copy, page.invite]) {
  button.addEventListener("click", () => {
    copyLink(button).catch(reportError);
  });
}
page.mute.addEventListener("click", () => call?.toggle("audio"));
page.camera.addEventListener("click", () => call?.toggle("video"));
page.share.addEventListener("click", () => {
  if (call?.sharing === true) call.stopSharing();
  else call?.share().catch(reportError);
});
page.inspect.addEventListener("click", () => {
  if (call !== undefined) inspect(call.session.info.id).catch(refuse);
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

showFaultButtons(
  element("faults", HTMLElement),
  () => call && { session: call.session.info.id, peer: call.session.peer.id },
  refuse,
);
showLobby();
