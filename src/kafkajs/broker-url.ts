export interface Broker {
  host: string;
  port: number;
  /** kafkajs was told `ssl`. */
  secure: boolean;
}

/** Where a Milena broker has its WebSocket door. */
export function brokerUrl({ host, port, secure }: Broker): string {
  const authority = host.includes(':') ? `[${host}]` : host;
  return `${secure ? 'wss' : 'ws'}://${authority}:${port}/kafka`;
}
