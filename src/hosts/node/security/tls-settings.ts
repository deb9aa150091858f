import { readFileSync } from 'node:fs';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { listItems } from '../../../metadata/configs/validate.ts';

type Settings = ReadonlyMap<string, string>;

export type ClientAuth = 'none' | 'requested' | 'required';

/**
 * What Kafka's `ssl.*` settings mean to Node: PEM alone, in the settings themselves or in files that they name.
 * @throws Error for people
 */
export function tlsOptionsOf(settings: Settings): TlsOptions {
  const pem = keystoreOf(settings);
  const passphrase = settings.get('ssl.key.password');
  const trusted = truststoreOf(settings);
  const ciphers = listItems(settings.get('ssl.cipher.suites') ?? '').join(':');
  const options: TlsOptions = {
    ...pem,
    ...(passphrase !== undefined && { passphrase }),
    ...(trusted !== undefined && { ca: trusted }),
    ...(ciphers !== '' && { ciphers }),
    ...versionsOf(settings),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    // OpenSSL's words name what is wrong, and nothing of the key.
    throw new Error(`the certificate and its key cannot be used: ${(error as Error).message}`);
  }
  return options;
}

export function clientAuthOf(settings: Settings): ClientAuth {
  return (settings.get('ssl.client.auth') ?? 'none').toLowerCase() as ClientAuth;
}

function keystoreOf(settings: Settings): { cert: string; key: string } {
  mustBePem(settings, 'ssl.keystore.type');
  const location = settings.get('ssl.keystore.location');
  const file = location === undefined ? undefined : textOf('ssl.keystore.location', location);
  const cert = settings.get('ssl.keystore.certificate.chain') ?? file;
  const key = settings.get('ssl.keystore.key') ?? file;
  if (cert === undefined || key === undefined)
    throw new Error(
      'TLS needs ssl.keystore.certificate.chain and ssl.keystore.key, or a PEM file with both as ssl.keystore.location',
    );
  return { cert, key };
}

function truststoreOf(settings: Settings): string | undefined {
  const certificates = settings.get('ssl.truststore.certificates');
  const location = settings.get('ssl.truststore.location');
  if (certificates === undefined && location === undefined) return undefined;
  mustBePem(settings, 'ssl.truststore.type');
  return certificates ?? textOf('ssl.truststore.location', location ?? '');
}

function mustBePem(settings: Settings, name: string): void {
  const type = settings.get(name) ?? 'JKS';
  if (type !== 'PEM')
    throw new Error(`${name}=${type}: only PEM is read here; openssl pkcs12 makes PEM of the others`);
}

function textOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

function versionsOf(settings: Settings): Pick<TlsOptions, 'minVersion' | 'maxVersion'> {
  const enabled = listItems(settings.get('ssl.enabled.protocols') ?? VERSIONS.join());
  const unknown = enabled.find((version) => !(VERSIONS as readonly string[]).includes(version));
  const [minVersion, maxVersion] = VERSIONS.filter((version) => enabled.includes(version));
  if (unknown !== undefined || minVersion === undefined)
    throw new Error(`ssl.enabled.protocols=${enabled.join()}: ${VERSIONS.join(' and ')} are spoken here`);
  return { minVersion, maxVersion: maxVersion ?? minVersion };
}
