import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives a new folder, and removes it when what needs it has ended, or this process before that. */
export async function inTemporaryFolder<T>(
  name: string,
  act: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `duplex-${name}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // Whoever stops a trial ends the process in the midst of it: nothing that waits is taken to its end then.
  process.once("exit", remove);
  try {
    return await act(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
