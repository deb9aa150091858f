import type { Uuid } from '../../model/ids.ts';
import type { TelemetryClient } from '../../ports/telemetry.ts';
import type { Call } from '../call.ts';
import type { ClientFacts } from './subscriptions.ts';

/** What selectors of subscriptions may look at, its instance id apart. */
export function clientFacts({ caller, connection }: Call): ClientFacts {
  const { name = '', version = '' } = connection.software ?? {};
  return new Map([
    ['client_id', caller.clientId],
    ['client_software_name', name],
    ['client_software_version', version],
    ['client_source_address', connection.ip],
    ['client_source_port', String(connection.socket.clientPort ?? '')],
  ]);
}

export function telemetryClient({ caller, connection }: Call, clientInstanceId: Uuid): TelemetryClient {
  const { name: softwareName = '', version: softwareVersion = '' } = connection.software ?? {};
  const { clientId, principal } = caller;
  return { clientInstanceId, clientId, softwareName, softwareVersion, principal, address: connection.ip };
}
