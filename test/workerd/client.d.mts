/** As much of the client as these tests use. */
export interface Client {
  admin: { topics: { create(topic: string, options?: { partitions?: number }): Promise<{ id: string }> } };
  send(topic: string, records: { value: string } | { value: string }[]): Promise<unknown>;
  read(topic: string, options?: { live?: boolean }): AsyncIterableIterator<{ value: Uint8Array | null }>;
  close(): Promise<void>;
}

export interface ServiceBinding {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<unknown>;
}

export function connect(binding: ServiceBinding): Promise<Client>;
