import type { ClusterView, Topic } from '../../src/group/index.ts';

/** Metadata that a test writes: each change is a version. */
export class FakeTopics implements ClusterView {
  version = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Map<string, string>>();
  #ids = 0;

  /** Makes a topic, or grows it. @returns its id: the one given, or one of its own. */
  set(name: string, partitionCount: number, given?: string): string {
    const made = () => `topic-${String(++this.#ids).padStart(2, '0')}`.padEnd(22, 'A');
    const id = this.#topics.get(name)?.id ?? given ?? made();
    this.#topics.set(name, { name, id, partitions: { length: partitionCount } });
    this.version++;
    return id;
  }

  delete(name: string): void {
    this.#topics.delete(name);
    this.version++;
  }

  configure(groupId: string, name: string, value: string): void {
    const configs = this.#groups.get(groupId) ?? new Map<string, string>();
    this.#groups.set(groupId, configs.set(name, value));
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  topicById(id: string): Topic | undefined {
    return [...this.#topics.values()].find((topic) => topic.id === id);
  }

  topicNames(): Iterable<string> {
    return this.#topics.keys();
  }

  groupConfigs(groupId: string): ReadonlyMap<string, string> {
    return this.#groups.get(groupId) ?? new Map<string, string>();
  }
}
