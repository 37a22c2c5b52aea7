// The clients of bench/setup.ts, in a process of their own. Does what its parent orders over IPC.
import { prepareDuplex } from "./setup-duplex.ts";
import { prepareForwarding } from "./setup-forwarding.ts";
import { preparePeerJs } from "./setup-peerjs.ts";
import type { Dialect, Done, Order, SetUp } from "./setup-plan.ts";
import { prepareSocketIo } from "./setup-socket-io.ts";
import { type Counts, noCounts } from "./setup-wire.ts";

const PREPARE_AT_ONCE = 4;

let counts: Counts = noCounts();
let calls: SetUp[] = [];

async function withAtOnce(limit: number, count: number, act: (n: number) => Promise<void>) {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

function prepared(dialect: Dialect, baseUrl: string, key: string): Promise<SetUp> | SetUp {
  switch (dialect) {
    case "duplex":
      return prepareDuplex(baseUrl, key, counts);
    case "duplex-reports":
      return prepareDuplex(baseUrl, key, counts, { reports: true });
    case "duplex-full":
      return prepareDuplex(baseUrl, key, counts, { flows: "full" });
    case "forwarding":
      return prepareForwarding(baseUrl, counts);
    case "peerjs":
      return preparePeerJs(baseUrl, counts);
    case "socket-io":
      return prepareSocketIo(baseUrl, counts);
  }
}

async function obey(order: Order): Promise<Done> {
  const ms: number[] = [];
  switch (order.type) {
    case "prepare":
      counts = noCounts();
      calls = [];
      await withAtOnce(PREPARE_AT_ONCE, order.calls, async () => {
        calls.push(await prepared(order.dialect, order.baseUrl, order.key));
      });
      break;
    case "run":
      await withAtOnce(order.atOnce, calls.length, async (n) => {
        const began = performance.now();
        await calls[n]?.run();
        ms.push(performance.now() - began);
      });
      break;
    case "close":
      await withAtOnce(PREPARE_AT_ONCE, calls.length, async (n) => calls[n]?.close());
      break;
  }
  return { type: "done", counts: { ...counts }, ms };
}

process.once("disconnect", () => process.exit());
process.on("message", (order) => {
  obey(order as Order).then(
    (done) => process.send?.(done),
    (fault: unknown) =>
      process.send?.({
        type: "failed",
        why: fault instanceof Error ? fault.message : String(fault),
      } satisfies Done),
  );
});
