import type { Uuid } from '../model/ids.ts';
import { type Acl, AclPattern, WILDCARD, aclKey } from './acl.ts';

/** Rules about names of one type. */
class OfType {
  readonly literal = new Map<string, Acl[]>();
  readonly prefixed = new Map<string, Acl[]>();
  /** How many rules have a prefix of that length: what a name is looked up by. */
  readonly lengths = new Map<number, number>();
}

/** All rules, by the names they speak of. The authoriser looks at those alone that may concern a name. */
export class AclTable {
  readonly #byId = new Map<Uuid, Acl>();
  readonly #idByKey = new Map<string, Uuid>();
  readonly #types = new Map<number, OfType>();

  get size(): number {
    return this.#byId.size;
  }

  entries(): Iterable<[id: Uuid, acl: Acl]> {
    return this.#byId;
  }

  /** The rule that says exactly this. */
  idOf(acl: Acl): Uuid | undefined {
    return this.#idByKey.get(aclKey(acl));
  }

  add(id: Uuid, acl: Acl): void {
    this.remove(id);
    this.#byId.set(id, acl);
    this.#idByKey.set(aclKey(acl), id);
    const ofType = this.#types.get(acl.resourceType) ?? new OfType();
    this.#types.set(acl.resourceType, ofType);
    const { resourceName, patternType } = acl;
    const names = patternType === AclPattern.PREFIXED ? ofType.prefixed : ofType.literal;
    names.set(resourceName, [...(names.get(resourceName) ?? []), acl]);
    if (patternType === AclPattern.PREFIXED) count(ofType.lengths, resourceName.length, 1);
  }

  remove(id: Uuid): void {
    const acl = this.#byId.get(id);
    if (acl === undefined) return;
    this.#byId.delete(id);
    this.#idByKey.delete(aclKey(acl));
    const ofType = this.#types.get(acl.resourceType) as OfType;
    const { resourceName, patternType } = acl;
    const names = patternType === AclPattern.PREFIXED ? ofType.prefixed : ofType.literal;
    const left = (names.get(resourceName) ?? []).filter((other) => other !== acl);
    if (left.length > 0) names.set(resourceName, left);
    else names.delete(resourceName);
    if (patternType === AclPattern.PREFIXED) count(ofType.lengths, resourceName.length, -1);
  }

  /** Those whose pattern fits the name. */
  *about(resourceType: number, name: string): Iterable<Acl> {
    const ofType = this.#types.get(resourceType);
    if (ofType === undefined) return;
    yield* ofType.literal.get(WILDCARD) ?? [];
    if (name !== WILDCARD) yield* ofType.literal.get(name) ?? [];
    for (const length of ofType.lengths.keys())
      if (length <= name.length) yield* ofType.prefixed.get(name.slice(0, length)) ?? [];
  }

  *ofType(resourceType: number): Iterable<Acl> {
    const ofType = this.#types.get(resourceType);
    for (const acls of ofType?.literal.values() ?? []) yield* acls;
    for (const acls of ofType?.prefixed.values() ?? []) yield* acls;
  }
}

function count(counts: Map<number, number>, key: number, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
