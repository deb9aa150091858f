import { MetadataImage } from '../../metadata/image.ts';
import { decodeMetadataRecord } from '../../metadata/records.ts';
import { becomeRecords, shardPrint } from '../../metadata/shard-view.ts';
import type { Offset, Uuid } from '../../model/ids.ts';
import { METADATA_SHARD, partitionOfShard, type ShardId } from '../../ports/shard-link.ts';
import type { MetadataFrame } from './frames.ts';
import { placementOf } from './placement.ts';
import type { LinkGreeting } from './remote-shards.ts';
import { clusterIdOf, NODE_ID } from './settings.ts';

/**
 * Committed metadata in one isolate. All its gateways read it, whichever of them heard of a change first: plain data,
 * no socket and no promise is shared.
 */
export class SharedMetadata {
  readonly image: MetadataImage;
  /** Exclusive: how much of the metadata log it has. */
  #end: Offset = 0;
  /** By topic; '' stands for coordinators. Of one version of the image. */
  readonly #prints = new Map<Uuid, string>();
  #printsOf = -1;

  constructor(cluster: string) {
    this.image = new MetadataImage({ clusterId: clusterIdOf(cluster), controllerId: NODE_ID });
  }

  take({ base, end, values }: MetadataFrame): void {
    const isNews = base === 0 ? end !== this.#end : end > this.#end;
    if (!isNews) return;
    const records = values.map(decodeMetadataRecord).filter((record) => record !== undefined);
    if (base === 0) becomeRecords(this.image, records);
    else for (const record of records) this.image.apply(record);
    this.#end = end;
  }

  greeting(shard: ShardId): LinkGreeting {
    const print = shard === METADATA_SHARD ? '' : this.#printOf(shard);
    const from = shard === METADATA_SHARD ? this.#end : 0;
    return { print, from, placement: placementOf(this.image, shard) };
  }

  #printOf(shard: ShardId): string {
    const topicId = partitionOfShard(shard)?.topicId;
    if (this.#printsOf !== this.image.version) this.#prints.clear();
    this.#printsOf = this.image.version;
    const known = this.#prints.get(topicId ?? '');
    if (known !== undefined) return known;
    const print = shardPrint(this.image, topicId);
    this.#prints.set(topicId ?? '', print);
    return print;
  }
}
