import { ErrorCode, errorInfo } from '../../model/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Call } from '../call.ts';
import { type Action, actionsOf, isAdminApi } from './actions.ts';

/** milena.audit: what is told of. */
export type AuditLevel = 'all' | 'denied';

const DENIALS: ReadonlySet<number> = new Set([
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
]);

/** Who did what with what: a line for each resource that somebody changed, or was not let. Once it is answered. */
export class AuditLog {
  readonly #log: Log;
  readonly #level: AuditLevel;
  /** By the number of an API: it is asked of every request. */
  readonly #isAdmin: boolean[] = [];

  constructor(log: Log, level: AuditLevel) {
    this.#log = log;
    this.#level = level;
  }

  /** To be called before a request is handled. */
  watch(call: Call, request: unknown): void {
    const { api } = call.handler;
    if (!(this.#isAdmin[api.key] ??= isAdminApi(api))) return;
    call.onAnswer = (answer) => {
      for (const action of actionsOf(api, request, answer)) this.#tell(call, request, action);
    };
  }

  #tell({ caller, handler }: Call, request: unknown, { resource, errorCode, about }: Action): void {
    const isDenied = DENIALS.has(errorCode);
    if (this.#level === 'denied' && !isDenied) return;
    const isDry = (request as { validateOnly?: boolean }).validateOnly === true;
    const outcome = isDenied ? 'denied' : errorCode === ErrorCode.NONE ? 'done' : 'failed';
    this.#log.info('admin action', {
      component: 'audit',
      principal: caller.principal,
      client: caller.clientHost.replace('/', ''),
      clientId: caller.clientId,
      api: handler.api.name,
      resource,
      outcome,
      ...(errorCode !== ErrorCode.NONE && { error: errorInfo(errorCode).name }),
      ...(isDry && { dryRun: true }),
      ...about,
    });
  }
}
