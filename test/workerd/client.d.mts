/** As much of the client as these tests use. */
export interface Client {
  admin: {
    topics: { create(topic: string, options?: { partitions?: number }): Promise<{ id: string }> };
    configs: { alter(of: { group: string }, changes: Record<string, string>): Promise<void> };
  };
  send(topic: string, records: { value: string } | { value: string }[]): Promise<unknown>;
  read(topic: string, options?: { live?: boolean }): AsyncIterableIterator<{ value: Uint8Array | null }>;
  shareConsumer(options: { group: string; topics: string }): ShareConsumer;
  close(): Promise<void>;
}

interface ShareConsumer {
  run(
    handler: (record: { value: Uint8Array | null; deliveryCount: number }) => unknown,
    options?: { concurrency?: number },
  ): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceBinding {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<unknown>;
}

export function connect(binding: ServiceBinding): Promise<Client>;
