import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../cli/milena.ts';

export const KAFKA_VERSION = '4.3.1';
const JAVA_MIN = 17;
const CACHE = join(ROOT, 'node_modules', '.cache', 'milena-compat', `kafka-${KAFKA_VERSION}`);
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

const run = promisify(execFile);

/** Jars that are downloaded together: the broker with its tools, what an application of Streams needs, and so on. */
export type Bundle = 'broker' | 'streams' | 'mirror' | 'connect';

/**
 * Why Java Kafka cannot run here; undefined when it can. The first call downloads what is wanted of it with Maven, once
 * a checkout.
 */
export async function missingKafka(bundle: Bundle = 'broker'): Promise<string | undefined> {
  const java = await javaVersion();
  if (java === undefined) return `no java on the PATH (Kafka ${KAFKA_VERSION} needs ${JAVA_MIN} or newer)`;
  if (java < JAVA_MIN) return `java is ${java}, Kafka ${KAFKA_VERSION} needs ${JAVA_MIN} or newer`;
  if (await exists(jarsOf(bundle))) return undefined;
  try {
    await download(bundle);
    return undefined;
  } catch (error) {
    const { code, stdout } = error as { code?: string; stdout?: string };
    if (code === 'ENOENT') return 'no mvn on the PATH to download Kafka with';
    return `Maven could not download Kafka ${KAFKA_VERSION}: ${stdout?.trim().split('\n')[0]}`;
  }
}

/** Arguments of `java` that run one of Kafka's main classes: it starts fast rather than runs fast. */
export function javaArguments(mainClass: string, args: readonly string[], from: ClassPath = {}): string[] {
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx512m'];
  const logger = '-Dorg.slf4j.simpleLogger';
  const log = [`${logger}.defaultLogLevel=warn`, `${logger}.log.kafka.server.KafkaRaftServer=info`];
  return [...quick, ...log, '-cp', classPath(from), mainClass, ...args];
}

export interface ClassPath {
  bundle?: Bundle | undefined;
  /** A folder of compiled classes. */
  classes?: string | undefined;
}

function classPath({ bundle = 'broker', classes }: ClassPath): string {
  return [...(classes === undefined ? [] : [classes]), `${jarsOf(bundle)}/*`].join(delimiter);
}

/** Why nothing of Java can be compiled here; undefined when it can. */
export async function missingCompiler(): Promise<string | undefined> {
  return run('javac', ['-version']).then(
    () => undefined,
    () => 'no javac on the PATH',
  );
}

/** Compiles a source of ours into a folder. @throws with the compiler's words. */
export async function compileJava(source: string, bundle: Bundle, classes: string): Promise<void> {
  const options = ['-Werror', '-Xlint:all', '-d', classes, '-cp', classPath({ bundle })];
  await run('javac', [...options, source]);
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

/** By bundle; each has a logger that prints to stderr, too. */
const ARTIFACTS: Readonly<Record<Bundle, readonly string[]>> = {
  broker: ['kafka_2.13', 'kafka-tools'],
  streams: ['kafka-streams'],
  mirror: ['connect-mirror'],
  connect: ['connect-runtime', 'connect-json', 'connect-file'],
};
const LOGGER = ['org.slf4j', 'slf4j-simple', '1.7.36'] as const;

function jarsOf(bundle: Bundle): string {
  return join(CACHE, bundle, 'jars');
}

function projectFile(bundle: Bundle): string {
  const ofKafka = ARTIFACTS[bundle].map((artifact) => ['org.apache.kafka', artifact, KAFKA_VERSION] as const);
  const dependencies = [...ofKafka, LOGGER].map(
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
async function download(bundle: Bundle): Promise<void> {
  const jars = jarsOf(bundle);
  const cwd = dirname(jars);
  const draft = `${jars}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, 'pom.xml'), projectFile(bundle));
  console.log(`        downloading Kafka ${KAFKA_VERSION} (${bundle}) with Maven`);
  const goal = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${draft}`];
  await run('mvn', goal, { cwd, maxBuffer: OUTPUT_MAX_BYTES });
  await rename(draft, jars);
}
