/** `navigator.connection` where it tells the kind of network; not in every browser, nor in TypeScript's DOM. */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

function networkInformation(): NetworkInformation | undefined {
  const { connection } = navigator as Navigator & { connection?: NetworkInformation };
  return connection;
}

/**
 * Calls back when the device came to another network. Chromium fires `change` for each new estimate of the
 * speed as well; only another `type` of network counts. The function returned stops watching.
 */
export function watchNetwork(changed: () => void): () => void {
  const information = networkInformation();
  let type = information?.type;
  const onChange = () => {
    if (information?.type === type) return;
    type = information?.type;
    if (type !== "none") changed();
  };
  addEventListener("online", changed);
  information?.addEventListener("change", onChange);
  return () => {
    removeEventListener("online", changed);
    information?.removeEventListener("change", onChange);
  };
}
