/** The part of it that the tests use; it comes without types. */
declare module "ovenlivekit" {
  export interface ConnectionConfig {
    readonly httpHeaders?: Readonly<Record<string, string>>;
    readonly preferredVideoFormat?: string;
    readonly simulcast?: readonly object[];
  }

  export interface Publisher {
    setMediaStream(stream: MediaStream): Promise<MediaStream>;
    startStreaming(endpointUrl: string, config: ConnectionConfig): void;
    stopStreaming(): Promise<void>;
  }

  export const create: () => Publisher;
}
