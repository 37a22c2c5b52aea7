import type { Transport, TransportState } from "../transport.ts";
import type { FlowContext } from "./link-flows.ts";

/**
 * The transport in a state, entered now unless it was in it already. The reason is that of the state: one
 * that is reported again without a reason keeps the one it had. What is closed restarts no more.
 */
export function stated(
  { at }: Pick<FlowContext, "at">,
  transport: Transport,
  state: TransportState,
  reason?: string,
): Transport {
  const { reason: former, restartingSince, ...rest } = transport;
  const isSame = transport.state === state;
  const because = reason ?? (isSame ? former : undefined);
  return {
    ...rest,
    state,
    since: isSame ? transport.since : at,
    ...(because === undefined ? {} : { reason: because }),
    ...(restartingSince === undefined || state === "closed" ? {} : { restartingSince }),
  };
}
