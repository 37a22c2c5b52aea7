import type { IceServer } from "../ice-server.ts";

/** `stun:stun.example:3478` and `turns:[2001:db8::1]:5349?transport=tcp` (RFC 7064 s3.1, RFC 7065 s3.1). */
const SERVER = /^(stuns?|turns?):(?:\[[\da-f:.]+\]|[\w.~-]+)(?::\d{1,5})?(?:\?transport=[\w-]+)?$/i;

/** Clients part these headers at commas, semicolons and quotes wherever they stand. */
const SAFE = /^(?:(?!["\\,;<>])[ -~])+$/;

/**
 * Values of Link headers for ICE servers (RFC 9725 s4.6), one for each URL. `credential-type` is from before the RFC, but a
 * client in use ignores the credentials without it; the order of the attributes matters to it, too. What cannot be
 * written so that all clients read it, and TURN without credentials, is left out.
 */
export function iceServerLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap((server) => {
    const credentials = credentialsIn(server);
    return server.urls.flatMap((url) => {
      const scheme = SERVER.exec(url)?.[1]?.toLowerCase();
      if (scheme === undefined) return [];
      if (scheme.startsWith("stun")) return [`<${url}>; rel="ice-server"`];
      return credentials === undefined ? [] : [`<${url}>; rel="ice-server"; ${credentials}`];
    });
  });
}

function credentialsIn({ username = "", credential = "" }: IceServer): string | undefined {
  if (!SAFE.test(username) || !SAFE.test(credential)) return undefined;
  return `username="${username}"; credential="${credential}"; credential-type="password"`;
}
