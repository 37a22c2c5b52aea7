/** The version of the HTTP surface and of `duplex.v1`. */
export const VERSION = "0.1.0";
