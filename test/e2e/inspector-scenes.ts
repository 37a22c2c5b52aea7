import type { Page } from "playwright-core";
import type { FlowAssistance } from "../../protocol/assistance/record.ts";
import type { Flow } from "../../protocol/flow.ts";
import { Backend, until } from "./caller.ts";
import type { Scene, View } from "./scenes.ts";
import type { Stage } from "./stage.ts";
import { StagedSession } from "./staged-session.ts";

/** The inspector of a call that runs, of one with many peers, and of one that fails. */

async function inspect(stage: Stage, id: string): Promise<Page> {
  const page = await stage.open(`inspect/${id}`);
  await page.locator("#development-form button").click();
  await page.locator("#view").waitFor();
  return page;
}

async function inspectStaged(
  stage: Stage,
  act: (session: StagedSession) => Promise<void>,
): Promise<Page> {
  const session = await StagedSession.start(stage.baseUrl);
  stage.onClose(() => session.close());
  await act(session);
  return inspect(stage, session.id);
}

type Assistance = Readonly<Record<string, FlowAssistance>>;

/**
 * The inspector of a call whose ends are in mobile networks: what these say is put into the records on their way to the
 * page, because a picture waits for no network.
 */
async function inspectAssisted(stage: Stage): Promise<Page> {
  const session = await StagedSession.start(stage.baseUrl);
  stage.onClose(() => session.close());
  const [ada, grace] = await session.connect();
  const page = await stage.open(`inspect/${session.id}`);
  await page.routeWebSocket(/signalling/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      const message = JSON.parse(String(frame));
      const flows: Flow[] = message.flows?.flows ?? message.changed ?? [];
      for (const flow of flows) flow.assistance = sayings(ada, grace, flow.since);
      socket.send(JSON.stringify(message));
    });
  });
  await page.locator("#development-form button").click();
  await page.locator('[role="tab"][data-tab="map"]').click();
  await page.locator(".flow-head").first().click();
  return page;
}

const sayings = (ada: string, grace: string, since: number): Assistance => ({
  [ada]: {
    network: "north",
    api: "camara-qod",
    state: "impaired",
    since: since + 4_000,
    reason: "QOS_NOT_GUARANTEED",
    asked: { uplinkBps: 2_400_000, downlinkBps: 2_400_000, profile: "QOS_L" },
    granted: { profile: "QOS_M", until: since + 3_600_000 },
    advised: { uplinkBps: 600_000, downlinkBps: 1_200_000 },
  },
  [grace]: {
    network: "south",
    api: "nef",
    state: "waiting",
    since: since + 1_000,
    reason: "ue-address",
    failures: 2,
  },
});

/** The inspector of the call of two pages of the demo. */
export async function inspectCall(stage: Stage, call: Page): Promise<Page> {
  const id = new URL(call.url()).hash.slice(1);
  await until("all flows run", async () => {
    const { flows } = await new Backend(stage.baseUrl, id).flows("?state=active");
    return flows.length === 4;
  });
  return inspect(stage, id);
}

/** A part of the inspector, by its tab. */
const tab = (name: string): View => ({
  name,
  show: (page) => page.locator(`[role="tab"][data-tab="${name}"]`).click(),
});

/** With the first flow opened. */
const QUALITY: View = {
  name: "quality",
  show: async (page) => {
    await tab("quality").show(page);
    const head = page.locator(".quality-head").first();
    if ((await head.getAttribute("aria-expanded")) !== "true") await head.click();
  },
};

export const TABS = [tab("map"), tab("sdp"), tab("transports"), QUALITY, tab("timeline")];

/** As long as its call is; a picture of the window shows how it fits. */
const WINDOW = ["desktop", "phone"] as const;

export const INSPECTOR_SCENES: readonly Scene[] = [
  {
    name: "inspect-access",
    page: "inspector.html",
    window: WINDOW,
    set: (stage) => stage.open("inspect/no-such-session"),
  },
  {
    name: "inspect-many",
    page: "inspector.html",
    window: WINDOW,
    views: TABS,
    set: (stage) => inspectStaged(stage, (session) => session.fill()),
  },
  {
    name: "inspect-assisted",
    page: "inspector.html",
    window: WINDOW,
    set: inspectAssisted,
  },
  {
    name: "inspect-failed",
    page: "inspector.html",
    window: WINDOW,
    views: [tab("sdp")],
    set: (stage) => inspectStaged(stage, (session) => session.failOnPath()),
  },
];
