import { ErrorCode, KafkaError } from '../model/errors.ts';
import {
  type Acl,
  type AclFilter,
  AclOperation,
  AclPattern,
  AclPermission,
  AclResource,
  aclKey,
  CLUSTER_NAME,
  matchesFilter,
} from '../security/acl.ts';
import { isPrincipal } from '../security/principals.ts';
import type { DescribeAclsRequest, DescribeAclsResponse } from '../wire/apis/29-describe-acls.ts';
import type { CreateAclsRequest, CreateAclsResponse } from '../wire/apis/30-create-acls.ts';
import type { DeleteAclsRequest, DeleteAclsResponse } from '../wire/apis/31-delete-acls.ts';
import type { MetadataImage } from './image.ts';
import { answering, type ControllerContext, OK, type Outcome, refused } from './outcome.ts';
import type { MetadataRecordInit } from './records.ts';

/** Adds each rule that is not there already; those that are no rules are refused one by one. */
export function decideCreateAcls(
  { image, uuid }: ControllerContext,
  { creations }: CreateAclsRequest,
): Outcome<CreateAclsResponse> {
  const records: MetadataRecordInit[] = [];
  const added = new Set<string>();
  const add = ({ resourcePatternType: patternType, ...rest }: CreateAclsRequest['creations'][number]) => {
    const acl = { ...rest, patternType };
    checkAcl(acl);
    const isThere = image.acls.idOf(acl) !== undefined || added.has(aclKey(acl));
    if (!isThere) records.push({ type: 'accessControlEntry', id: uuid(), ...acl });
    added.add(aclKey(acl));
    return OK;
  };
  const results = creations.map((creation) => answering(() => add(creation), refused));
  return { records, response: { throttleTimeMs: 0, results } };
}

/** Removes what each filter matches, and says what that was. */
export function decideDeleteAcls(
  { image }: ControllerContext,
  { filters }: DeleteAclsRequest,
): Outcome<DeleteAclsResponse> {
  const gone = new Set<string>();
  const remove = (filter: AclFilter) => {
    checkFilter(filter);
    const matching = [...image.acls.entries()].filter(([, acl]) => matchesFilter(acl, filter));
    for (const [id] of matching) gone.add(id);
    return { ...OK, matchingAcls: matching.map(([, acl]) => ({ ...OK, ...acl })) };
  };
  const filterResults = filters.map((filter) =>
    answering(
      () => remove(filter),
      (error) => ({ ...refused(error), matchingAcls: [] }),
    ),
  );
  const records = Array.from(gone, (id) => ({ type: 'removeAccessControlEntry', id }) as const);
  return { records, response: { throttleTimeMs: 0, filterResults } };
}

/** The rules that a filter matches, by the pattern they have. */
export function describeAcls(image: MetadataImage, request: DescribeAclsRequest): DescribeAclsResponse {
  const describe = (): DescribeAclsResponse => {
    checkFilter(request);
    const resources = new Map<string, DescribeAclsResponse['resources'][number]>();
    for (const [, acl] of image.acls.entries()) {
      if (!matchesFilter(acl, request)) continue;
      const { resourceType, resourceName, patternType, ...rule } = acl;
      const key = `${resourceType} ${patternType} ${resourceName}`;
      const resource = resources.get(key) ?? { resourceType, resourceName, patternType, acls: [] };
      resource.acls.push(rule);
      resources.set(key, resource);
    }
    return { throttleTimeMs: 0, ...OK, resources: [...resources.values()] };
  };
  return answering(describe, (error) => ({ throttleTimeMs: 0, ...refused(error), resources: [] }));
}

function refuse(what: string): never {
  throw new KafkaError(ErrorCode.INVALID_REQUEST, what);
}

/** Kafka's checks (AclControlManager), in its words. */
function checkAcl({ resourceType, resourceName, patternType, principal, ...acl }: Acl): void {
  const isLiteral = patternType === AclPattern.LITERAL;
  if (!isOneOf(AclResource, resourceType) || resourceType === AclResource.ANY)
    refuse('Invalid resource type');
  if (resourceName === '') refuse('Resource name should not be empty');
  if (!isLiteral && patternType !== AclPattern.PREFIXED) refuse('Invalid resourcePatternType');
  if (resourceType === AclResource.CLUSTER && !(isLiteral && resourceName === CLUSTER_NAME))
    refuse(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`);
  if (!isPrincipal(principal)) refuse(`Could not parse principal from \`${principal}\``);
  if (acl.host === '') refuse('Host should not be empty');
  if (!isOneOf(AclOperation, acl.operation) || acl.operation === AclOperation.ANY)
    refuse('Invalid operation');
  if (acl.permissionType !== AclPermission.ALLOW && acl.permissionType !== AclPermission.DENY)
    refuse('Invalid permissionType');
}

function checkFilter(filter: AclFilter): void {
  if (!isOneOf(AclResource, filter.resourceTypeFilter)) refuse('Unknown resource type in the filter');
  if (!isOneOf(AclPattern, filter.patternTypeFilter)) refuse('Unknown pattern type in the filter');
  if (!isOneOf(AclOperation, filter.operation)) refuse('Unknown operation in the filter');
  if (!isOneOf(AclPermission, filter.permissionType)) refuse('Unknown permission type in the filter');
}

/** Named, and not UNKNOWN. */
function isOneOf(names: Readonly<Record<string, number>>, value: number): boolean {
  return value !== 0 && Object.values(names).includes(value);
}
