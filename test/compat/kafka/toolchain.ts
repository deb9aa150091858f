import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../cli/milena.ts';

export const KAFKA_VERSION = '4.3.1';
const JAVA_MIN = 17;
const CACHE = join(ROOT, 'node_modules', '.cache', 'milena-compat', `kafka-${KAFKA_VERSION}`);
const JARS = join(CACHE, 'jars');
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

const run = promisify(execFile);

/** Why Java Kafka cannot run here; undefined when it can. The first call downloads it with Maven, once a checkout. */
export async function missingKafka(): Promise<string | undefined> {
  const java = await javaVersion();
  if (java === undefined) return `no java on the PATH (Kafka ${KAFKA_VERSION} needs ${JAVA_MIN} or newer)`;
  if (java < JAVA_MIN) return `java is ${java}, Kafka ${KAFKA_VERSION} needs ${JAVA_MIN} or newer`;
  if (await exists(JARS)) return undefined;
  try {
    await download();
    return undefined;
  } catch (error) {
    const { code, stdout } = error as { code?: string; stdout?: string };
    if (code === 'ENOENT') return 'no mvn on the PATH to download Kafka with';
    return `Maven could not download Kafka ${KAFKA_VERSION}: ${stdout?.trim().split('\n')[0]}`;
  }
}

/** Arguments of `java` that run one of Kafka's main classes: it starts fast rather than runs fast. */
export function javaArguments(mainClass: string, args: readonly string[]): string[] {
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx512m'];
  const logger = '-Dorg.slf4j.simpleLogger';
  const log = [`${logger}.defaultLogLevel=warn`, `${logger}.log.kafka.server.KafkaRaftServer=info`];
  return [...quick, ...log, '-cp', `${JARS}/*`, mainClass, ...args];
}

/** Runs one of Kafka's tools to its end. @throws with its words when it fails. */
export async function runTool(mainClass: string, args: readonly string[]): Promise<Output> {
  return run('java', javaArguments(mainClass, args), { maxBuffer: OUTPUT_MAX_BYTES });
}

export interface Output {
  stdout: string;
  stderr: string;
}

async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await run('java', ['-version']);
    const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr) ?? [];
    return Number(first === '1' ? second : first);
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The broker, its tools, and a logger that prints to stderr. */
const DEPENDENCIES = [
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.slf4j', 'slf4j-simple', '1.7.36'],
] as const;

function projectFile(): string {
  const dependencies = DEPENDENCIES.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>milena</groupId><artifactId>compat</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`;
}

/** Into a folder beside the final one first: a download that broke off is not taken for a whole one. */
async function download(): Promise<void> {
  const draft = `${JARS}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  await writeFile(join(CACHE, 'pom.xml'), projectFile());
  console.log(`        downloading Kafka ${KAFKA_VERSION} with Maven`);
  const goal = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${draft}`];
  await run('mvn', goal, { cwd: CACHE, maxBuffer: OUTPUT_MAX_BYTES });
  await rename(draft, JARS);
}
