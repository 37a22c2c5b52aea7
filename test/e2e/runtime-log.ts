import { secretLines } from "../secret-patterns.ts";

/**
 * What workerd itself complains of in the `workers` project, such as a fault that nothing in the Worker caught: the
 * runtime writes it to the output of this process, past the console. Looked through when all files are done (A4).
 */
export default function watch(): () => void {
  const { stdout, stderr } = process;
  const written: string[] = [];
  const restore = [stdout, stderr].map((stream) => {
    const write = stream.write;
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      if (isOfRuntime(text)) written.push(text);
      return write.call(stream, chunk, ...rest);
    }) as typeof stream.write;
    return () => {
      stream.write = write;
    };
  });
  return () => {
    for (const undo of restore) undo();
    const found = secretLines(written.join("\n"));
    if (found.length > 0) throw new Error(`[A4] in what the runtime wrote:\n${found.join("\n")}`);
  };
}

/** `uncaught exception; source = ...`, `workerd/api/web-socket.c++:123: ...`: not what the runner prints of tests. */
const isOfRuntime = (text: string): boolean =>
  /(?:^|\n)(?:uncaught exception;|(?:workerd|kj)\/\S+:\d+: )/.test(text);
