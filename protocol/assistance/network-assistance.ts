import {
  type ApplicationFlowDescription,
  applicationFlowOf,
  type ClientPolicySpecification,
  policySpecificationOf,
} from "./application-flow.ts";
import type { AssistedLink, Mapped, Snssai } from "./assisted.ts";
import { componentsOf } from "./component.ts";
import { placeOf, sessionIdOf } from "./dynamic-policy.ts";
import { lackOf } from "./filter.ts";
import type { MarkingTable } from "./markings.ts";
import { isRunning, type RateDefaults, ratesOfLink } from "./rates.ts";

/** TS 26.510 NetworkAssistanceSession, as it is created. */
export interface NetworkAssistanceSession {
  readonly sessionId: string;
  readonly sliceInfo?: Snssai;
  readonly dataNetworkName?: string;
  readonly policyTemplateId?: string;
  readonly componentReference: string;
  readonly applicationFlowDescription: ApplicationFlowDescription;
  readonly requestedQoS: ClientPolicySpecification;
}

export interface NetworkAssistanceOptions {
  /** `<session>/<link>` when left out. */
  readonly sessionId?: string;
  readonly policyTemplateId?: string;
  readonly rates?: RateDefaults;
  readonly markings?: MarkingTable;
  readonly dnn?: string;
  readonly snssai?: Snssai;
}

/**
 * A Network Assistance Session: it has one description of packets, so that is of the path that most depends on the network.
 * It asks for all that runs on the link: what the network recommends holds for all of the link, whatever paths it takes.
 *
 * Lacks `media` while nothing runs, and an address while there is no description.
 */
export function networkAssistanceSessionOf(
  link: AssistedLink,
  options: NetworkAssistanceOptions,
): Mapped<NetworkAssistanceSession> {
  const running = componentsOf(link, false).filter(isRunning);
  const component = running.find(({ mediaType }) => mediaType === "VIDEO") ?? running[0];
  if (!component) return { lacks: "media" };
  const applicationFlowDescription = applicationFlowOf(component, options.markings);
  if (!applicationFlowDescription) return { lacks: lackOf(component.transport.path) };
  const { policyTemplateId, rates } = options;
  return {
    body: {
      sessionId: sessionIdOf(link, options.sessionId),
      ...placeOf(options),
      ...(policyTemplateId === undefined ? {} : { policyTemplateId }),
      componentReference: component.reference,
      applicationFlowDescription,
      requestedQoS: policySpecificationOf(ratesOfLink(link, rates)),
    },
  };
}
