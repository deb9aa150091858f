import type { Backend } from '../../broker/core.ts';
import type { Spec } from '../../broker/specs.ts';
import { ControllerMachine } from '../../metadata/controller.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import { decodeMetadataRecord, encodeMetadataRecord } from '../../metadata/records.ts';
import { SUPPORTED_FEATURES } from '../../metadata/registration.ts';
import { shardRecords } from '../../metadata/shard-view.ts';
import { invariant } from '../../model/assert.ts';
import { CLUSTER_METADATA_TOPIC, type Uuid } from '../../model/ids.ts';
import { type Machine, NOTHING } from '../../model/machine.ts';
import { METADATA_SHARD, partitionOfShard, partitionShard, type ShardId } from '../../ports/shard-link.ts';
import type { Shards } from '../../shard/shards.ts';
import type { Link, Links } from './links.ts';
import { MetadataFeed } from './metadata-feed.ts';
import type { ObjectClock } from './object-clock.ts';
import type { ObjectState } from './object-state.ts';
import { placementOf } from './placement.ts';
import type { Peers } from './shard-host.ts';
import { NODE_ID } from './settings.ts';

const DROPS_AT_ONCE = 6;
const DROP_AGAIN_MS = 30_000;

/**
 * What the metadata shard has beside its machine where it is an object: it feeds gateways, knows what each shard is to
 * know, and sees to it that the objects of deleted topics forget theirs.
 */
export class Controller {
  readonly #links: Links;
  readonly #state: ObjectState;
  readonly #peers: Peers;
  #image: MetadataImage | undefined;
  #feed: MetadataFeed | undefined;
  #clock: ObjectClock | undefined;
  #dropping: Promise<void> | undefined;

  constructor(links: Links, state: ObjectState, peers: Peers) {
    this.#links = links;
    this.#state = state;
    this.#peers = peers;
  }

  /** @param image committed metadata. */
  serve(image: MetadataImage, clock: ObjectClock): void {
    this.#image = image;
    this.#clock = clock;
    this.#feed = new MetadataFeed(this.#links, image);
  }

  /** @throws when the metadata log cannot be served. */
  async start({ shards }: Backend): Promise<void> {
    const shard = shards.get(METADATA_SHARD);
    await shard?.open();
    await shard?.settled();
    if (shard?.log === undefined) throw new Error(`the metadata log cannot be opened: ${shard?.failure}`);
    this.#feed?.start(shard.log.highWatermark);
    this.#drop();
  }

  opened(link: Link): void {
    this.#feed?.opened(link);
  }

  /**
   * An object starts often, and nothing is lost when it does: it goes on in the reign it had, registered once (a new
   * epoch of every partition at each start would be a storm).
   */
  adjust(spec: Spec, shards: Shards): Spec {
    if (spec.name.topic !== CLUSTER_METADATA_TOPIC) return spec;
    let isNew = false;
    const { reign, boot, onCommitted, machine } = spec;
    invariant(machine !== undefined && boot !== undefined, 'the metadata log has a machine');
    return {
      ...spec,
      leaderEpoch: (log) => {
        isNew = log.logEndOffset === 0;
        return Math.max(0, log.latestEpoch);
      },
      reign: (epoch) => (isNew && reign ? reign(epoch) : { controlRecords: [], values: [] }),
      boot: (loaded) => {
        // Throws where it cannot be served.
        const decision = boot(loaded);
        return isRegistered((loaded as ControllerMachine).image) ? NOTHING : decision;
      },
      machine: (epoch) => this.#watched(machine(epoch) as ControllerMachine),
      onCommitted: (records) => {
        const all = [...records];
        onCommitted?.(all);
        this.#feed?.committed(all, shards.get(METADATA_SHARD)?.log?.highWatermark ?? 0);
        this.#drop();
      },
    };
  }

  /** What a topic's deletion leaves to be done is written down in the turn that decides it: both, or none. */
  #watched(machine: ControllerMachine): Machine {
    const apply = machine.apply.bind(machine);
    let isLoaded = false;
    machine.apply = (record) => {
      const change = isLoaded && record.value !== null ? decodeMetadataRecord(record.value) : undefined;
      if (change?.type === 'removeTopic') this.#removed(machine.image, change.topicId);
      apply(record);
    };
    const decide = machine.decide.bind(machine);
    machine.decide = (request) => {
      isLoaded = true;
      return decide(request);
    };
    return machine;
  }

  #removed(image: MetadataImage, topicId: Uuid): void {
    const topic = image.topicById(topicId);
    for (const { index: partition } of topic?.partitions ?? []) {
      const shard = partitionShard({ topic: topic?.name ?? '', topicId, partition });
      this.#state.addDrop(shard, placementOf(image, shard).jurisdiction);
    }
  }

  metadataFor(shard: ShardId): Uint8Array[] {
    invariant(this.#image !== undefined, 'the metadata log is loaded');
    const topicId = partitionOfShard(shard)?.topicId;
    return Array.from(shardRecords(this.#image, topicId), encodeMetadataRecord);
  }

  async alarm(): Promise<void> {
    this.#drop();
    await this.#dropping;
  }

  #drop(): void {
    this.#dropping ??= this.#dropAll().finally(() => {
      this.#dropping = undefined;
    });
  }

  async #dropAll(): Promise<void> {
    for (let drops = this.#state.drops; drops.length > 0; drops = this.#state.drops) {
      const some = drops.slice(0, DROPS_AT_ONCE);
      const done = await Promise.allSettled(
        some.map(({ shard, placement }) => this.#peers.drop(shard, placement)),
      );
      some.forEach((drop, at) => {
        if (done[at]?.status === 'fulfilled') this.#state.removeDrop(drop);
      });
      if (done.every(({ status }) => status === 'fulfilled')) continue;
      return this.#clock?.wakeAt(this.#clock.now() + DROP_AGAIN_MS);
    }
  }
}

function isRegistered(image: MetadataImage): boolean {
  const features = image.broker(NODE_ID)?.features ?? [];
  return SUPPORTED_FEATURES.every(({ name, maxSupportedVersion }) =>
    features.some((feature) => feature.name === name && feature.maxSupportedVersion === maxSupportedVersion),
  );
}
