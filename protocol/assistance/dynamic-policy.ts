import {
  type ApplicationFlowDescription,
  applicationFlowOf,
  type ClientPolicySpecification,
  policySpecificationOf,
  rtcpFlowOf,
} from "./application-flow.ts";
import type { AssistedLink, AssistedTransport, Mapped, Snssai } from "./assisted.ts";
import { componentsOf, rtcpComponentsOf } from "./component.ts";
import type { MarkingTable } from "./markings.ts";
import { isRunning, type RateDefaults, ratesOfSections, rtcpRatesOf } from "./rates.ts";

/** TS 26.510 ApplicationFlowBinding. */
export interface ApplicationFlowBinding {
  readonly componentReference: string;
  readonly applicationFlowDescription?: ApplicationFlowDescription;
  readonly qosSpecification: ClientPolicySpecification;
}

/** TS 26.510 DynamicPolicy, as it is created. */
export interface DynamicPolicy {
  readonly sessionId: string;
  readonly policyTemplateId: string;
  readonly sliceInfo?: Snssai;
  readonly dataNetworkName?: string;
  readonly applicationFlowBindings: readonly ApplicationFlowBinding[];
}

export interface DynamicPolicyOptions {
  /** `<session>/<link>` when left out. */
  readonly sessionId?: string;
  readonly policyTemplateId: string;
  /** The network knows multiplexed media (Rel-19): one binding per m-section instead of one per BUNDLE group. */
  readonly multiplex: boolean;
  readonly rates?: RateDefaults;
  readonly markings?: MarkingTable;
  readonly dnn?: string;
  readonly snssai?: Snssai;
}

/** The media delivery session that a request belongs to. */
export const sessionIdOf = ({ session, link }: AssistedLink, sessionId?: string): string =>
  sessionId ?? `${session}/${link}`;

/** What a network is told of where its customer is, where it is told. */
export const placeOf = ({ dnn, snssai }: { readonly dnn?: string; readonly snssai?: Snssai }) => ({
  ...(snssai === undefined ? {} : { sliceInfo: snssai }),
  ...(dnn === undefined ? {} : { dataNetworkName: dnn }),
});

/**
 * A Dynamic Policy for all that a UE has on a link. A binding has no description of its packets while their path is not
 * known: the policy is asked for by components then, and completed once it is. What is held has `0 bps`. RTCP on a path of
 * its own has a binding of its own.
 *
 * Lacks `media` while nothing runs.
 */
export function dynamicPolicyOf(
  link: AssistedLink,
  options: DynamicPolicyOptions,
): Mapped<DynamicPolicy> {
  if (!link.transports.some(isRunning)) return { lacks: "media" };
  const { policyTemplateId } = options;
  return {
    body: {
      sessionId: sessionIdOf(link, options.sessionId),
      policyTemplateId,
      ...placeOf(options),
      applicationFlowBindings: bindingsOf(link, options),
    },
  };
}

function bindingsOf(
  link: AssistedLink,
  { multiplex, rates, markings }: DynamicPolicyOptions,
): readonly ApplicationFlowBinding[] {
  const components = componentsOf(link, multiplex);
  const beside = rtcpComponentsOf(components).flatMap((rtcp) => {
    const flow = rtcpFlowOf(rtcp);
    return flow ? [{ flow, component: rtcp.component }] : [];
  });
  const isBeside = (transport: AssistedTransport): boolean =>
    beside.some(({ component }) => component.transport === transport);
  const media = components.map((component): ApplicationFlowBinding => {
    const { reference, sections, transport } = component;
    const flow = applicationFlowOf(component, markings);
    const asked = ratesOfSections(link, sections, rates, isBeside(transport) ? "media" : "all");
    return {
      componentReference: reference,
      ...(flow ? { applicationFlowDescription: flow } : {}),
      qosSpecification: policySpecificationOf(asked),
    };
  });
  const rtcp = beside.map(({ flow, component: { reference, transport } }) => ({
    componentReference: `${reference}${RTCP_SUFFIX}`,
    applicationFlowDescription: flow,
    qosSpecification: policySpecificationOf(rtcpRatesOf(link, transport.sections, rates)),
  }));
  return [...media, ...rtcp];
}

/** No mid has it: they are tokens (RFC 5888 s4). */
const RTCP_SUFFIX = "/rtcp";
