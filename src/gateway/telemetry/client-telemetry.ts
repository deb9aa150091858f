import type { MetadataImage } from '../../metadata/image.ts';
import { ErrorCode } from '../../model/errors.ts';
import { type Millis, type Uuid, ZERO_UUID } from '../../model/ids.ts';
import type { Random } from '../../ports/random.ts';
import type { TelemetryReceiver } from '../../ports/telemetry.ts';
import { type ClientFacts, Subscriptions, type Wanted } from './subscriptions.ts';

/** Kafka's bound on the clients that are remembered; the longest silent goes. */
const CLIENTS_MAX = 16_384;
const NEVER = -Infinity;

/** One client, by the id that it pushes under. */
interface Instance {
  readonly id: Uuid;
  wanted: Wanted;
  subscriptionId: number;
  /** Of the metadata that its subscription was read from. */
  version: number;
  lastGetMs: Millis;
  lastPushMs: Millis;
  /** It has asked since it last pushed. */
  hasAsked: boolean;
  /** It has said that it stops. */
  isTerminating: boolean;
  lastError: number;
}

export interface Subscription {
  readonly id: Uuid;
  readonly subscriptionId: number;
  readonly wanted: Wanted;
}

/**
 * What clients are to push, how often, and who keeps to it (KIP-714, Kafka's ClientMetricsManager):
 *
 *   Get -> subscription and its id -> Push, once an interval -> … -> a last Push that says so
 *
 * A subscription that changes is another id: the next Push is told UNKNOWN_SUBSCRIPTION_ID, and asks again.
 */
export class ClientTelemetry {
  readonly receiver: TelemetryReceiver;
  /** telemetry.max.bytes. */
  readonly maxBytes: number;
  readonly #subscriptions: Subscriptions;
  readonly #random: Random;
  readonly #instances = new Map<Uuid, Instance>();
  /** Pushes by what became of them. */
  readonly pushes = new Map<number, number>();
  pushedBytes = 0;

  constructor(
    image: MetadataImage,
    { receiver, maxBytes, random }: { receiver: TelemetryReceiver; maxBytes: number; random: Random },
  ) {
    this.receiver = receiver;
    this.maxBytes = maxBytes;
    this.#random = random;
    this.#subscriptions = new Subscriptions(image);
  }

  get clientCount(): number {
    return this.#instances.size;
  }

  /** @returns an error code where the client has to wait. */
  subscription(given: Uuid, facts: ClientFacts, nowMs: Millis): Subscription | number {
    const id = given === ZERO_UUID ? this.#random.uuid() : given;
    const instance = this.#instance(id, facts);
    const mayAskAgain =
      instance.lastError === ErrorCode.UNKNOWN_SUBSCRIPTION_ID ||
      instance.lastError === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
    const lastMs = Math.max(instance.lastGetMs, instance.lastPushMs);
    if (!mayAskAgain && isTooEarly(nowMs, lastMs, instance)) return ErrorCode.THROTTLING_QUOTA_EXCEEDED;
    instance.lastGetMs = nowMs;
    instance.hasAsked = true;
    instance.lastError = ErrorCode.NONE;
    const { subscriptionId, wanted } = instance;
    return { id, subscriptionId, wanted };
  }

  /** @returns the error code of a push that is not to be taken. */
  refusalOf(
    push: {
      clientInstanceId: Uuid;
      subscriptionId: number;
      terminating: boolean;
      isKnownCodec: boolean;
      bytes: number;
    },
    facts: ClientFacts,
    nowMs: Millis,
  ): number {
    if (push.clientInstanceId === ZERO_UUID) return ErrorCode.INVALID_REQUEST;
    const instance = this.#instance(push.clientInstanceId, facts);
    const code = this.#refusal(instance, push, nowMs);
    instance.lastError = code;
    if (code === ErrorCode.NONE) instance.isTerminating = push.terminating;
    return code;
  }

  /** What became of one. */
  pushed(errorCode: number, bytes: number): void {
    this.pushes.set(errorCode, (this.pushes.get(errorCode) ?? 0) + 1);
    if (errorCode === ErrorCode.NONE) this.pushedBytes += bytes;
  }

  #refusal(
    instance: Instance,
    push: { subscriptionId: number; terminating: boolean; isKnownCodec: boolean; bytes: number },
    nowMs: Millis,
  ): number {
    if (instance.isTerminating) return ErrorCode.INVALID_REQUEST;
    // The first after a Get may come at any time: clients begin at a random part of their interval.
    const isEarly = !instance.hasAsked && isTooEarly(nowMs, instance.lastPushMs, instance);
    if (isEarly && !push.terminating) return ErrorCode.THROTTLING_QUOTA_EXCEEDED;
    if (!isEarly) instance.lastPushMs = nowMs;
    instance.hasAsked = false;
    if (push.subscriptionId !== instance.subscriptionId) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID;
    if (!push.isKnownCodec) return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
    return push.bytes > this.maxBytes ? ErrorCode.TELEMETRY_TOO_LARGE : ErrorCode.NONE;
  }

  #instance(id: Uuid, facts: ClientFacts): Instance {
    const known = this.#instances.get(id);
    const { version } = this.#subscriptions;
    if (known?.version === version) return this.#used(known);
    const wanted = this.#subscriptions.wantedOf(new Map([...facts, ['client_instance_id', id]]));
    const subscriptionId = hashOf(`${id} ${wanted.intervalMs} ${wanted.metrics.join()}`);
    if (known !== undefined) return this.#used(Object.assign(known, { version, wanted, subscriptionId }));
    for (const oldest of this.#instances.keys()) {
      if (this.#instances.size < CLIENTS_MAX) break;
      this.#instances.delete(oldest);
    }
    const times = { lastGetMs: NEVER, lastPushMs: NEVER, hasAsked: false };
    const state = { ...times, isTerminating: false, lastError: ErrorCode.NONE as number };
    return this.#used({ id, version, wanted, subscriptionId, ...state });
  }

  #used(instance: Instance): Instance {
    this.#instances.delete(instance.id);
    this.#instances.set(instance.id, instance);
    return instance;
  }
}

/** A clock that was set back makes nobody wait. */
function isTooEarly(nowMs: Millis, lastMs: Millis, { wanted }: Instance): boolean {
  return nowMs >= lastMs && nowMs - lastMs < wanted.intervalMs;
}

/** FNV-1a, 32 bits: the same subscription of the same client has the same id, over a restart too. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
