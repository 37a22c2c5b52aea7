import type { Held, Told } from "./holding.ts";
import type { NetworkBody, NetworkStatus } from "./network.ts";

/** A flow of a resource that the network cannot hold, as it said last. */
export interface ImpairedFlow {
  /** Its number in the request (`flowId`, TS 29.122). */
  readonly flow: number;
  readonly status: NetworkStatus;
}

/**
 * The flows of a resource that the network cannot hold after what it has told, the newest last; undefined where there are
 * none. Each is so until the network says of that one, or of all, that it holds again. What has another number than any in
 * the request is not waited for.
 */
export function impairedAfter(
  { body, impaired = [] }: Held,
  { status, reports = [{ status }] }: Told,
): readonly ImpairedFlow[] | undefined {
  const numbers = numbersIn(body);
  const left = new Map(impaired.map((each) => [each.flow, each.status]));
  for (const report of reports) {
    for (const flow of report.flows ?? numbers) {
      left.delete(flow);
      if (report.status.state === "impaired") left.set(flow, report.status);
    }
  }
  const asked = [...left].filter(([flow]) => numbers.includes(flow));
  return asked.length > 0 ? asked.map(([flow, of]) => ({ flow, status: of })) : undefined;
}

function numbersIn({ flowInfo }: NetworkBody): readonly number[] {
  const flows: readonly { readonly flowId?: number }[] = Array.isArray(flowInfo) ? flowInfo : [];
  return flows.flatMap(({ flowId }) => flowId ?? []);
}
