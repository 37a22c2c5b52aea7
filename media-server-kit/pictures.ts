/** VP8 frames of one colour, as an encoder made them: a key frame, and a frame that shows the same again. */

export interface Pictures {
  readonly keyframe: Buffer;
  readonly delta: Buffer;
}

const pictures = (keyframe: string, delta: string): Pictures => ({
  keyframe: Buffer.from(keyframe, "base64"),
  delta: Buffer.from(delta, "base64"),
});

/** By the name of the layer: 160 x 90, 320 x 180 and 640 x 360 pixels. */
export const PICTURES = {
  q: pictures(
    "cAUAnQEqoABaAAPHCIWFiJmEiBQCAAZYL1PnTp0dZs2bNmzZs2bNmzZs2bNmzZs2bNmzY8D+5Ij//Wr3X+rSaf9VU9fh+GAA",
    "cQMADxDsABgAGLf0DAADVVgArABWACsAFYAKwAVY/t1EebeRt9HOwwmB2AA=",
  ),
  h: pictures(
    `EA8AnQEqQAG0AAqHCIWFiJmEiDgCAnTyOjq0vte3N${"k5w9".repeat(34)}k5vAP6k0Iw0WxcA`,
    `0QgAKhHAABgAGG/0DAABGK${"qrVVa".repeat(14)}qrVVAP6k0Iw0WxcA`,
  ),
  f: pictures(
    `kDMAnQEqgAJoAQqHCIWFiJmEiDgCAnTyOjq0vte3N${"k5w9".repeat(108)}k5wyAD+pNCMNFsXAA==`,
    "sQsAKhHAABgAGG/0DAACglSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKqVUqpVSqlVKgA/qTQjDRbFwA=",
  ),
} as const;
