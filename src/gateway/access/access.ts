import type { MetadataImage } from '../../metadata/image.ts';
import { AclOperation, AclResource, CLUSTER_NAME } from '../../security/acl.ts';
import type { Authorizer, Requester } from '../../security/authorizer.ts';
import { operationBits } from '../../security/operations.ts';
import { Scope } from '../../security/scope.ts';

const UTF8 = new TextEncoder();

/** Who decides, and what there is. */
interface Rules {
  readonly authorizer: Authorizer | undefined;
  readonly image: MetadataImage;
}

/** What one client may: by the rules of the cluster, and by what it logged in with. */
export class Access {
  readonly #rules: Rules;
  readonly #who: Requester;
  readonly scope: Scope | undefined;

  private constructor(rules: Rules, who: Requester, scope: Scope | undefined) {
    this.#rules = rules;
    this.#who = who;
    this.scope = scope;
  }

  /** Undefined where everybody may all. */
  static of(rules: Rules, who: Requester, scope?: object): Access | undefined {
    if (rules.authorizer === undefined && scope === undefined) return undefined;
    return new Access(rules, who, scope instanceof Scope ? scope : undefined);
  }

  /** Somebody decides who may do what: else there are no rules to speak of. */
  get hasAuthorizer(): boolean {
    return this.#rules.authorizer !== undefined;
  }

  allows(operation: number, resourceType: number, resourceName: string): boolean {
    if (this.scope?.allows(operation, resourceType, resourceName) === false) return false;
    return this.#rules.authorizer?.allows(this.#who, { operation, resourceType, resourceName }) ?? true;
  }

  topic(operation: number, name: string): boolean {
    return this.allows(operation, AclResource.TOPIC, name);
  }

  group(operation: number, groupId: string): boolean {
    return this.allows(operation, AclResource.GROUP, groupId);
  }

  transactionalId(operation: number, id: string): boolean {
    return this.allows(operation, AclResource.TRANSACTIONAL_ID, id);
  }

  cluster(operation: number): boolean {
    return this.allows(operation, AclResource.CLUSTER, CLUSTER_NAME);
  }

  /** May write somewhere, and so be a producer (KIP-679). */
  get mayProduce(): boolean {
    if (this.cluster(AclOperation.IDEMPOTENT_WRITE)) return true;
    if (this.scope?.allowsAny(AclOperation.WRITE) === false) return false;
    const action = { operation: AclOperation.WRITE, resourceType: AclResource.TOPIC };
    return this.#rules.authorizer?.allowsAny(this.#who, action) ?? true;
  }

  /** A topic as a request names it: an id that is no topic's is nobody's secret. */
  namedTopic(operation: number, { name, topicId }: { name?: string | null; topicId?: string }): boolean {
    if (name) return this.topic(operation, name);
    const found = topicId === undefined ? undefined : this.#rules.image.topicById(topicId);
    return found === undefined || this.topic(operation, found.name);
  }

  /** What keys of its records have to begin with, one of them; undefined: with anything. */
  keyPrefixes(
    operation: number,
    { topic, topicId }: { topic?: string | null; topicId?: string },
  ): readonly Uint8Array[] | undefined {
    if (this.scope?.isByKey !== true) return undefined;
    const name = topic || (topicId === undefined ? '' : (this.#rules.image.topicById(topicId)?.name ?? ''));
    return this.scope.keyPrefixes(operation, name)?.map((prefix) => UTF8.encode(prefix));
  }

  operations(resourceType: number, resourceName: string): number {
    return operationBits(resourceType, (operation) => this.allows(operation, resourceType, resourceName));
  }
}
