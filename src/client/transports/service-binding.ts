/** A Worker that serves Kafka over WebSocket, as another has it: a service binding, such as `env.MILENA`. */
export interface ServiceBinding {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<unknown>;
}
