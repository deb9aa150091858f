import { Seldom } from '../../../model/seldom.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { PushedTelemetry, TelemetryReceiver } from '../../../ports/telemetry.ts';
import { type Codecs, decompress } from '../../../records/codecs.ts';
import { withAttributes } from './resource-attributes.ts';

/** What one push may unpack to: a megabyte that is packed can be a gigabyte. */
const UNPACKED_MAX_BYTES = 16 * 1024 * 1024;
/** Of what waits for the endpoint; beyond it pushes are dropped, and counted. */
const WAITING_MAX_BYTES = 32 * 1024 * 1024;
const POST_TIMEOUT_MS = 10_000;
const WARNED_EVERY_MS = 60_000;

/**
 * Sends metrics of clients on, by OTLP/HTTP, with attributes that say whose they are. One after the other; what the
 * endpoint does not take is gone: the next push says more than the last.
 */
export class OtlpForwarder implements TelemetryReceiver {
  readonly #endpoint: string;
  readonly #codecs: Codecs;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failures = new Seldom(WARNED_EVERY_MS);
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isSending = false;
  forwarded = 0;
  dropped = 0;

  constructor(parts: { endpoint: string; codecs: Codecs; clock: Clock; log: Log }) {
    this.#endpoint = parts.endpoint;
    this.#codecs = parts.codecs;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  async take({ client, compressionType: codec, metrics }: PushedTelemetry): Promise<void> {
    const block = { codec, bytes: metrics, maxBytes: UNPACKED_MAX_BYTES };
    const unpacked = await decompress(this.#codecs, block);
    const body = withAttributes(unpacked, {
      client_instance_id: client.clientInstanceId,
      client_id: client.clientId,
      client_software_name: client.softwareName,
      client_software_version: client.softwareVersion,
      client_source_address: client.address,
      principal: client.principal,
    });
    if (this.#waitingBytes + body.length > WAITING_MAX_BYTES) {
      this.dropped++;
      return;
    }
    this.#waiting.push(body);
    this.#waitingBytes += body.length;
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) {
      this.#waitingBytes -= body.length;
      await this.#post(body);
    }
    this.#isSending = false;
  }

  async #post(body: Uint8Array): Promise<void> {
    try {
      const response = await fetch(this.#endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(POST_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      this.forwarded++;
    } catch (error) {
      this.dropped++;
      const keptBack = this.#failures.admit('post', this.#clock.now());
      if (keptBack === undefined) return;
      const about = { component: 'telemetry', endpoint: this.#endpoint, err: error, keptBack };
      this.#log.warn('metrics of a client were not taken', about);
    }
  }
}
