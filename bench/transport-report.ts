/** What an SDK tells of a transport over which two hosts are connected; `port` is that of its own end. */
export const connectedReport = (to: string, port: number) => {
  const end = (at: number) => ({
    candidateType: "host" as const,
    address: "192.0.2.2",
    port: at,
    protocol: "udp",
  });
  return {
    type: "transport" as const,
    to,
    state: "connected" as const,
    pair: { local: end(port), remote: end(99_999 - port) },
    dtls: {
      srtpCipher: "AES_CM_128_HMAC_SHA1_80",
      tlsVersion: "FEFC",
      dtlsCipher: "TLS_AES_128_GCM_SHA256",
    },
  };
};
