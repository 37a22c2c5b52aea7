/** `eu-0123...`: the jurisdiction of a session is part of its id. */
export function inJurisdictionOf<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
  session: string,
): DurableObjectNamespace<T> {
  const jurisdiction = /^(.+)-/.exec(session)?.[1];
  return jurisdiction === undefined
    ? namespace
    : namespace.jurisdiction(jurisdiction as DurableObjectJurisdiction);
}

/** The object of a session. */
export const ofSession = <T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
  session: string,
): DurableObjectStub<T> => inJurisdictionOf(namespace, session).getByName(session);
