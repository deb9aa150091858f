import { listItems } from '../../../metadata/configs/validate.ts';
import { PrincipalMapping, principalsIn } from '../../../security/principals.ts';
import { type SecurityProtocol, usesTls } from './doors.ts';
import { tlsOptionsOf } from './tls-settings.ts';
import { checkJwksUrl } from './tokens.ts';

/** What a setting asks for that cannot be. */
export interface SecurityProblem {
  setting: string;
  message: string;
}

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'];
/** The one authoriser there is, under the name that Kafka's has. */
const AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';

/** Looks at all that says who may come in and what they may, before anybody does. */
export function securityProblems(
  protocols: readonly SecurityProtocol[],
  settings: ReadonlyMap<string, string>,
): SecurityProblem[] {
  const problems: SecurityProblem[] = [];
  const check = (setting: string, read: () => unknown) => {
    try {
      read();
    } catch (error) {
      problems.push({ setting, message: (error as Error).message });
    }
  };
  if (protocols.some(usesTls)) {
    check('listeners', () => tlsOptionsOf(settings));
    check(
      'ssl.principal.mapping.rules',
      () => new PrincipalMapping(settings.get('ssl.principal.mapping.rules') ?? 'DEFAULT'),
    );
  }
  if (protocols.some((protocol) => protocol.startsWith('SASL')))
    check('sasl.enabled.mechanisms', () => checkMechanisms(settings.get('sasl.enabled.mechanisms')));
  const jwks = settings.get('sasl.oauthbearer.jwks.endpoint.url');
  if (jwks !== undefined) check('sasl.oauthbearer.jwks.endpoint.url', () => checkJwksUrl(jwks));
  const authorizer = settings.get('authorizer.class.name') ?? '';
  if (authorizer !== '' && authorizer !== AUTHORIZER)
    problems.push({ setting: 'authorizer.class.name', message: `the one there is is ${AUTHORIZER}` });
  check('super.users', () => principalsIn(settings.get('super.users') ?? ''));
  return problems;
}

function checkMechanisms(given: string | undefined): void {
  const served = `${MECHANISMS.slice(0, -1).join(', ')} and ${MECHANISMS.at(-1)} are served`;
  const mechanisms = listItems(given ?? '');
  if (mechanisms.length === 0) throw new Error(`how do clients log in? ${served}`);
  const unknown = mechanisms.find((mechanism) => !MECHANISMS.includes(mechanism));
  if (unknown !== undefined) throw new Error(`${unknown} is not served: ${served}`);
}
