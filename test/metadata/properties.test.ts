/**
 * Aim: whatever clients ask, the log alone says what is. Method: random commands against a controller and a
 * plain model of topics; then a second controller reads the log, a third the snapshot, and all must hold
 * the same.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetadataImage } from '../../src/metadata/image.ts';
import { byId, Cluster, topicOf, uuidOf } from './cluster.ts';

const NAMES = ['a', 'b', 'c', 'd.e', 'd_e'];

type Command =
  | {
      type: 'create';
      name: string;
      partitions: number;
      validateOnly: boolean;
      retentionMs: string | undefined;
    }
  | { type: 'delete'; name: string; byId: boolean }
  | { type: 'grow'; name: string; count: number }
  | { type: 'producerId' }
  | { type: 'restart' };

const name = fc.constantFrom(...NAMES);
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('create' as const),
      name,
      partitions: fc.integer({ min: -2, max: 4 }),
      validateOnly: fc.boolean(),
      retentionMs: fc.constantFrom(undefined, '5', 'bad'),
    }),
    fc.record({ type: fc.constant('delete' as const), name, byId: fc.boolean() }),
    fc.record({ type: fc.constant('grow' as const), name, count: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ type: fc.constant('producerId' as const) }),
    fc.record({ type: fc.constant('restart' as const) }),
  ),
  { maxLength: 40 },
);

interface ModelTopic {
  name: string;
  id: string;
  partitions: number;
  retentionMs: string | undefined;
}

/** Everything an image says, as data to compare; its version is not part of it. */
function contents(image: MetadataImage) {
  return {
    features: [...image.features],
    brokers: image.brokers(),
    topics: image.topics(),
    configs: [...image.configuredResources()]
      .map(({ type, name: resource, configs }) => [type, resource, [...configs]] as const)
      .toSorted(([, one], [, other]) => one.localeCompare(other)),
    nextProducerId: image.nextProducerId,
  };
}

interface Codes {
  got: number | undefined;
  want: number | undefined;
}

/** A controller beside the model of it. */
class Run {
  readonly cluster = new Cluster({ brokers: 2 });
  readonly #model = new Map<string, ModelTopic>();
  readonly #ids = new Set<number>();
  #idsGiven = 0;
  #restarts = 0;

  /** The error code that came, and the one the model wants. */
  step(command: Command): Codes {
    switch (command.type) {
      case 'create':
        return this.#create(command);
      case 'delete':
        return this.#delete(command);
      case 'grow':
        return this.#grow(command);
      case 'producerId':
        this.#ids.add(this.cluster.initProducerId().producerId);
        return { got: this.#ids.size, want: ++this.#idsGiven };
      case 'restart':
        this.cluster.register(1, uuidOf(1_000 + ++this.#restarts));
        return { got: this.cluster.image.broker(1)?.epoch, want: this.#restarts };
    }
  }

  #create({ name, partitions, validateOnly, retentionMs }: Command & { type: 'create' }): Codes {
    const configs = retentionMs === undefined ? [] : [{ name: 'retention.ms', value: retentionMs }];
    const asked = topicOf(name, { numPartitions: partitions, replicationFactor: 2, configs });
    const [result] = this.cluster.create([asked], validateOnly);
    const want = this.#creationCode(name, partitions, retentionMs);
    if (want === 0 && !validateOnly) {
      const id = result?.topicId ?? '';
      this.#model.set(name, { name, id, partitions: Math.abs(partitions), retentionMs });
    }
    return { got: result?.errorCode, want };
  }

  #creationCode(name: string, partitions: number, retentionMs: string | undefined): number {
    const twin = name === 'd.e' ? 'd_e' : name === 'd_e' ? 'd.e' : undefined;
    if (this.#model.has(name)) return 36;
    if (twin !== undefined && this.#model.has(twin)) return 17;
    if (retentionMs === 'bad') return 40;
    return partitions > 0 || partitions === -1 ? 0 : 37;
  }

  #delete({ name, byId: useId }: Command & { type: 'delete' }): Codes {
    const known = this.#model.get(name);
    const id = known?.id ?? uuidOf(5);
    const [result] = this.cluster.delete(useId ? { topics: [byId(id)] } : { topicNames: [name] });
    this.#model.delete(name);
    return { got: result?.errorCode, want: known ? 0 : useId ? 100 : 3 };
  }

  #grow({ name, count }: Command & { type: 'grow' }): Codes {
    const known = this.#model.get(name);
    const [result] = this.cluster.grow([{ name, count, assignments: null }]);
    const grows = known !== undefined && count > known.partitions;
    if (grows) known.partitions = count;
    return { got: result?.errorCode, want: known ? (grows ? 0 : 37) : 3 };
  }

  wanted(): ModelTopic[] {
    return [...this.#model.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  found(): ModelTopic[] {
    const { image } = this.cluster;
    return image.topics().map(({ name, id, partitions }) => ({
      name,
      id: image.topicById(id) === image.topic(name) ? id : 'not the same by name and by id',
      partitions: partitions.every(({ index }, i) => index === i) ? partitions.length : -1,
      retentionMs: image.configs(2, name).get('retention.ms'),
    }));
  }
}

test('the log and the snapshot each say what the controller holds, and it holds what the model says', () => {
  fc.assert(
    fc.property(commands, (steps) => {
      const run = new Run();
      for (const command of steps) {
        const { got, want } = run.step(command);
        expect([command, got]).toEqual([command, want]);
      }
      expect(run.found()).toEqual(run.wanted());
      const live = contents(run.cluster.image);
      const replayed = new Cluster({ log: run.cluster.log });
      expect(contents(replayed.image)).toEqual(live);
      const restored = new Cluster({ log: [...run.cluster.machine.snapshot()] });
      expect(contents(restored.image)).toEqual(live);
      expect([...restored.machine.snapshot()]).toEqual([...run.cluster.machine.snapshot()]);
    }),
    { numRuns: 200 },
  );
});

test('every record moves the version on', () => {
  const { image, log } = new Cluster({ brokers: 3 });
  expect(image.version).toBe(log.length);
});
