import { invariant } from './assert.ts';

/** Every bound on what one client can make us hold. Names are Kafka's where Kafka has one. */
export interface GatewayLimits {
  /** socket.request.max.bytes: a longer message closes its connection. */
  requestMaxBytes: number;
  /** Requests of one connection being worked on; beyond it its socket is not read. */
  inFlightRequestsMax: number;
  /** Bytes of those requests and of what is being read for their answers; beyond it the socket is not read. */
  inFlightBytesMax: number;
  /** Bytes of unfinished messages over all connections; the one that exceeds it is closed. */
  unfinishedBytesMax: number;
  /** Bytes read for clients that have not read them yet, over all connections; what each may have: `ReadCredit`. */
  unreadBytesMax: number;
  /** Of these each connection may have so many, whatever the others hold. */
  connectionUnreadBytesMin: number;
  /** Fetches kept at shards for clients that do not wait just now, over all connections. */
  parkedFetchesMax: number;
  /** max.incremental.fetch.session.cache.slots. */
  fetchSessionsMax: number;
  /** Share sessions over all connections (group.share.max.share.sessions). */
  shareSessionsMax: number;
  /** Memory for what all sessions remember, by estimate. One that would exceed it is not kept. */
  fetchSessionBytesMax: number;
  /** Unused for so long a session makes room for another (Kafka's MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS). */
  fetchSessionEvictionMs: number;
  /** fetch.max.bytes: what one Fetch may return, whatever it asks for. */
  fetchMaxBytes: number;
  /** connections.max.idle.ms. */
  connectionsMaxIdleMs: number;
  /** Heartbeats are answered here for so long before a coordinator is asked again; 0: it is asked each time. */
  heartbeatLeaseMs: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  requestMaxBytes: 104_857_600,
  inFlightRequestsMax: 256,
  inFlightBytesMax: 16 * 1024 * 1024,
  unfinishedBytesMax: 512 * 1024 * 1024,
  unreadBytesMax: 256 * 1024 * 1024,
  connectionUnreadBytesMin: 64 * 1024,
  parkedFetchesMax: 65_536,
  fetchSessionsMax: 1_000,
  shareSessionsMax: 2_000,
  fetchSessionBytesMax: 64 * 1024 * 1024,
  fetchSessionEvictionMs: 120_000,
  fetchMaxBytes: 57_671_680,
  connectionsMaxIdleMs: 600_000,
  heartbeatLeaseMs: 0,
};

invariant(
  DEFAULT_GATEWAY_LIMITS.unfinishedBytesMax > DEFAULT_GATEWAY_LIMITS.requestMaxBytes,
  'one largest request fits the budget of unfinished messages',
);
