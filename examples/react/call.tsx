import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Invitation, useSession } from "./use-session.ts";

const invite = async (): Promise<Invitation> => {
  const call = encodeURIComponent(location.hash);
  const answer = await fetch(`/invite?call=${call}`, { method: "POST" });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Invitation;
};

function Video({
  stream,
  isOwn = false,
}: {
  readonly stream: MediaStream;
  readonly isOwn?: boolean;
}) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream;
  }, [stream]);
  return <video ref={video} autoPlay playsInline muted={isOwn} />;
}

function Call({ camera, onLeave }: { readonly camera: MediaStream; readonly onLeave: () => void }) {
  const { state, streams, error } = useSession(invite, camera);
  return (
    <>
      <button type="button" id="leave" onClick={onLeave}>
        Leave
      </button>
      <p role="status" id="state">
        {error?.message ?? state}
      </p>
      <Video stream={camera} isOwn />
      {streams.map(({ peer, stream }) => (
        <Video key={`${peer} ${stream.id}`} stream={stream} />
      ))}
    </>
  );
}

function App() {
  const [camera, setCamera] = useState<MediaStream>();
  const leave = (): void => {
    for (const track of camera?.getTracks() ?? []) track.stop();
    setCamera(undefined);
  };
  const start = (): void => {
    navigator.mediaDevices
      .getUserMedia({ audio: true, video: true })
      .then(setCamera)
      .catch(reportError);
  };
  if (camera) return <Call camera={camera} onLeave={leave} />;
  return (
    <button type="button" id="join" onClick={start}>
      Join
    </button>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
