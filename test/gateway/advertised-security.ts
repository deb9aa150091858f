import { ErrorCode } from '../../src/model/errors.ts';
import { describeAclsApi } from '../../src/wire/apis/29-describe-acls.ts';
import { createAclsApi } from '../../src/wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../src/wire/apis/31-delete-acls.ts';
import { describeClientQuotasApi } from '../../src/wire/apis/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../../src/wire/apis/49-alter-client-quotas.ts';
import { describeUserScramCredentialsApi } from '../../src/wire/apis/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../../src/wire/apis/51-alter-user-scram-credentials.ts';
import { getTelemetrySubscriptionsApi } from '../../src/wire/apis/71-get-telemetry-subscriptions.ts';
import { pushTelemetryApi } from '../../src/wire/apis/72-push-telemetry.ts';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { type Case, of } from './advertised-case.ts';

const ANY_ACL = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};

/** Of rules. */
export const ACL_CASES: readonly Case[] = [
  of(
    describeAclsApi,
    () => ({ ...ANY_ACL, patternTypeFilter: 3 }),
    ({ errorCode }) => errorCode,
    ErrorCode.SECURITY_DISABLED,
  ),
  of(
    createAclsApi,
    ({ unique: resourceName }) => ({
      creations: [
        { resourceType: 2, resourceName, principal: 'User:a', host: '*', operation: 3, permissionType: 3 },
      ],
    }),
    ({ results }) => results[0]?.errorCode,
    ErrorCode.SECURITY_DISABLED,
  ),
  of(
    deleteAclsApi,
    () => ({ filters: [{ ...ANY_ACL, patternTypeFilter: 3 }] }),
    ({ filterResults }) => filterResults[0]?.errorCode,
    ErrorCode.SECURITY_DISABLED,
  ),
];

/** Of who may log in. */
export const USER_CASES: readonly Case[] = [
  of(
    describeUserScramCredentialsApi,
    ({ unique: name }) => ({ users: [{ name }] }),
    ({ errorCode, results }) => [errorCode, results[0]?.errorCode],
    [ErrorCode.NONE, ErrorCode.RESOURCE_NOT_FOUND],
  ),
  of(
    alterUserScramCredentialsApi,
    ({ unique: name }) => ({ deletions: [{ name, mechanism: 1 }], upsertions: [] }),
    ({ results }) => results[0]?.errorCode,
    ErrorCode.RESOURCE_NOT_FOUND,
  ),
];

/** Of how much clients may do. */
export const QUOTA_CASES: readonly Case[] = [
  of(
    describeClientQuotasApi,
    ({ unique: match }) => ({ components: [{ entityType: 'user', matchType: 0, match }], strict: true }),
    ({ errorCode, entries }) => [errorCode, entries],
    [ErrorCode.NONE, []],
  ),
  of(
    alterClientQuotasApi,
    ({ unique: entityName }) => ({
      entries: [
        {
          entity: [{ entityType: 'user', entityName }],
          ops: [{ key: 'producer_byte_rate', value: 1e9, remove: false }],
        },
      ],
      validateOnly: false,
    }),
    ({ entries }) => entries.map(({ errorCode }) => errorCode),
    [ErrorCode.NONE],
  ),
];

/** Of metrics of clients. */
export const TELEMETRY_CASES: readonly Case[] = [
  of(
    getTelemetrySubscriptionsApi,
    () => ({ clientInstanceId: ZERO_UUID }),
    ({ errorCode, pushIntervalMs, requestedMetrics }) => [errorCode, pushIntervalMs, requestedMetrics],
    [ErrorCode.NONE, 300_000, []],
  ),
  of(
    pushTelemetryApi,
    () => ({
      clientInstanceId: ZERO_UUID,
      subscriptionId: 1,
      terminating: false,
      compressionType: 0,
      metrics: new Uint8Array(0),
    }),
    ({ errorCode }) => errorCode,
    ErrorCode.INVALID_REQUEST,
  ),
];
