import type { Kernels } from '../kernels/kernels.ts';
import { CLUSTER_METADATA_TOPIC, METADATA_TOPIC_ID, type Uuid, logKey } from '../model/ids.ts';
import type { Files } from '../ports/files.ts';
import type { LogName } from '../ports/log-store.ts';
import { replaceFile } from './atomic-file.ts';
import * as layout from './layout.ts';
import { eachLimited } from './limited.ts';
import { upgrade } from './upgrade.ts';

/** Who a data directory belongs to; made once, kept in `meta.properties`. */
export interface Identity {
  clusterId: string;
  nodeId: number;
  directoryId: Uuid;
}

export interface OpenedDirectory {
  /** The one given when the directory is new, else the one it has. */
  identity: Identity;
  /** Whether all its logs were closed cleanly. */
  isClean: boolean;
  /** Whether nobody but Kafka has had it yet. */
  isKafkas: boolean;
  logs: LogName[];
  /** Directories of logs whose topic id cannot be read: whoever knows it takes them up. */
  nameless: Set<string>;
  release(): Promise<void>;
}

interface Place {
  files: Files;
  directory: string;
  kernels: Kernels;
}

export interface DirectoryOptions extends Place {
  identity: Identity;
  warn: (message: string) => void;
}

const FILES_AT_ONCE = 64;
/** Kafka's form, with a broker epoch that Kafka never has: whoever was here last was one of us. */
const CLEAN = '{"version":0,"brokerEpoch":-1}';
/** Files of ours a first start may have left when it was killed, and what systems put into an empty volume. */
const HARMLESS = [layout.LOCK, layout.META_PROPERTIES, layout.FORMAT, 'lost+found'];
const NAMED_MAX = 5;
const METADATA_LOG = `${CLUSTER_METADATA_TOPIC}-0`;

/**
 * Takes the directory, or makes it.
 * @throws with a message for people when it is locked, foreign, newer or another node's.
 */
export async function openDirectory(options: DirectoryOptions): Promise<OpenedDirectory> {
  const { files, directory } = options;
  await files.makeDirectory(directory);
  const found = await files.list(directory);
  refuseForeign(directory, found);
  if (found.length === 0) await files.flushDirectory(parentOf(directory));
  const lock = await files.lock(directory);
  try {
    const format = await formatOn(options);
    // Before anything is changed: it may be another node's.
    const identity = await ownIdentity(options);
    await bringUp(options, format);
    const names = await files.list(directory);
    await finishDeletions(files, directory, names);
    const isClean = names.includes(layout.CLEAN_SHUTDOWN);
    const nameless = new Set<string>();
    const logs = await listLogs({ ...options, nameless }, names, await knownIds(options));
    await files.remove(`${directory}/${layout.LOG_LIST}`);
    await files.remove(`${directory}/${layout.CLEAN_SHUTDOWN}`);
    await files.flushDirectory(directory);
    return {
      identity,
      isClean,
      isKafkas: format === undefined && logs.length > 0,
      logs,
      nameless,
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Says that these are all logs and every one was closed: the next start looks into none. */
export async function markClean(place: Place, logs: readonly LogName[]): Promise<void> {
  const { files, directory, kernels } = place;
  const list = logs.map((name) => `${layout.logDirectory(name)} ${name.topicId}\n`).join('');
  await replaceFile(
    files,
    `${directory}/${layout.LOG_LIST}`,
    layout.bytesOf(list + checksumLine(kernels, list)),
  );
  await files.flushDirectory(directory);
  await replaceFile(files, `${directory}/${layout.CLEAN_SHUTDOWN}`, layout.bytesOf(CLEAN));
  await files.flushDirectory(directory);
}

function parentOf(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  if (end < 0) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}

function refuseForeign(directory: string, names: readonly string[]): void {
  if (names.includes(layout.META_PROPERTIES) || names.includes(layout.FORMAT)) return;
  const strangers = names.filter((name) => !HARMLESS.some((harmless) => name.startsWith(harmless))).sort();
  if (strangers.length === 0) return;
  const more = strangers.length > NAMED_MAX ? ` and ${strangers.length - NAMED_MAX} more` : '';
  throw new Error(
    `${directory} is no data directory: it has no ${layout.META_PROPERTIES} but holds ` +
      `${strangers.slice(0, NAMED_MAX).join(', ')}${more}. Choose an empty or a new directory`,
  );
}

/** Undefined where it is not said: the directory is new, or Kafka's. @throws when it is newer than ours. */
async function formatOn({ files, directory }: Place): Promise<number | undefined> {
  const content = await files.readFile(`${directory}/${layout.FORMAT}`);
  return content && formatOf(directory, content);
}

/** Makes the directory one of our format. What we add to Kafka's begins here. */
async function bringUp(place: Place, from: number | undefined): Promise<void> {
  const { files, directory } = place;
  const to = layout.FORMAT_VERSION;
  if (from === to) return;
  if (from !== undefined) await upgrade(place, { from, to });
  const content = layout.encodeProperties({ version: String(to) });
  await replaceFile(files, `${directory}/${layout.FORMAT}`, content);
}

/** @throws with a message for people when `content` of the format file is of a version we do not know. */
export function formatOf(directory: string, content: Uint8Array): number {
  const version = Number(layout.parseProperties(content).get('version'));
  if (!Number.isSafeInteger(version) || version < 1)
    throw new Error(
      `${directory}/${layout.FORMAT} is damaged: it says no version. If no newer Milena was here, remove it`,
    );
  if (version <= layout.FORMAT_VERSION) return version;
  throw new Error(
    `${directory} was written by a newer Milena (format ${version}, this one reads up to ` +
      `${layout.FORMAT_VERSION}): start that version, or choose another data directory`,
  );
}

async function ownIdentity({ files, directory, identity }: DirectoryOptions): Promise<Identity> {
  const path = `${directory}/${layout.META_PROPERTIES}`;
  const content = await files.readFile(path);
  if (!content) {
    const log = (await files.list(directory)).find((name) => layout.parseLogDirectory(name));
    if (log !== undefined) throw new Error(`${path} is missing, but there are logs (${log}): restore it`);
    await replaceFile(files, path, encodeIdentity(identity));
    return identity;
  }
  const stored = layout.parseProperties(content);
  const clusterId = stored.get('cluster.id');
  const nodeId = Number(stored.get('node.id'));
  const version = stored.get('version');
  if (version === '0')
    throw new Error(
      `${path} is of version 0, of a Kafka with ZooKeeper: only KRaft's version 1 can be opened`,
    );
  const directoryId = stored.get('directory.id') ?? identity.directoryId;
  if (version !== '1' || !clusterId || !Number.isSafeInteger(nodeId) || !layout.isUuid(directoryId))
    throw new Error(
      `${path} is damaged, or newer: it is not of version 1 with a cluster.id, a node.id and a directory.id. ` +
        `Restore it from a copy`,
    );
  if (nodeId !== identity.nodeId)
    throw new Error(`${directory} belongs to node ${nodeId}, this is node ${identity.nodeId}`);
  const own = { clusterId, nodeId, directoryId };
  if (!stored.has('directory.id')) await replaceFile(files, path, encodeIdentity(own));
  return own;
}

function encodeIdentity({ clusterId, nodeId, directoryId }: Identity): Uint8Array {
  return layout.encodeProperties({
    version: '1',
    'cluster.id': clusterId,
    'node.id': String(nodeId),
    'directory.id': directoryId,
  });
}

async function finishDeletions(files: Files, directory: string, names: readonly string[]): Promise<void> {
  const deleted = names.filter(layout.isDeletedDirectory);
  await eachLimited(deleted, FILES_AT_ONCE, (name) => files.remove(`${directory}/${name}`));
}

/**
 * Topic ids by log directory, as the last of us left them; empty when it was killed, Kafka came after it, or the list
 * is not whole.
 */
async function knownIds({ files, directory, kernels }: Place): Promise<ReadonlyMap<string, Uuid>> {
  const clean = await files.readFile(`${directory}/${layout.CLEAN_SHUTDOWN}`);
  const content = await files.readFile(`${directory}/${layout.LOG_LIST}`);
  if (!clean || !content || layout.text(clean) !== CLEAN) return new Map();
  const list = layout.text(content).replace(/\S+ \S+\n$/, '');
  if (list + checksumLine(kernels, list) !== layout.text(content)) return new Map();
  const lines = list.matchAll(/^(\S+) ([\w-]{22})$/gm);
  return new Map(Array.from(lines, ([, name = '', topicId = '']) => [name, topicId]));
}

/** Ends the list of logs. */
function checksumLine(kernels: Kernels, list: string): string {
  return `crc32c ${kernels.crc32c(layout.bytesOf(list)).toString(16)}\n`;
}

interface ListOptions extends DirectoryOptions {
  /** Filled. */
  nameless: Set<string>;
}

/** All logs by what their directories say; none is opened. */
async function listLogs(
  options: ListOptions,
  names: readonly string[],
  known: ReadonlyMap<string, Uuid>,
): Promise<LogName[]> {
  const logs: LogName[] = [];
  await eachLimited(names, FILES_AT_ONCE, async (name) => {
    const place = layout.parseLogDirectory(name);
    if (!place) return;
    const topicId = known.get(name) ?? (await topicIdOf(options, name));
    if (topicId !== undefined) logs.push({ log: logKey(topicId, place.partition), topicId, ...place });
  });
  return logs;
}

async function topicIdOf(
  { files, directory, nameless, warn }: ListOptions,
  name: string,
): Promise<Uuid | undefined> {
  const path = `${directory}/${name}`;
  const file = `${path}/${layout.PARTITION_METADATA}`;
  const content = await files.readFile(file);
  const topicId = content && layout.parsePartitionMetadata(content);
  // Nearly always, and without a look into the directory: there may be 40,000.
  if (topicId !== undefined && (name !== METADATA_LOG || topicId === METADATA_TOPIC_ID)) return topicId;
  const names = await files.list(path);
  const hasSegments = names.some((held) => layout.segmentBase(held) !== undefined);
  if (name === METADATA_LOG && hasSegments) {
    // Another log in its place would be one of a node without topics.
    warn(`${file} is damaged: made anew`);
    await replaceFile(files, file, layout.partitionMetadata(METADATA_TOPIC_ID));
    return METADATA_TOPIC_ID;
  }
  if (topicId !== undefined) return topicId;
  if (hasSegments) {
    const why = content ? `${file} cannot be read` : `${path} has no ${layout.PARTITION_METADATA}`;
    warn(`${why}: that log is left alone until its topic is asked for`);
    nameless.add(name);
  } else if (!content) {
    // A log that a crash kept from being made: nobody was told of it.
    await files.remove(path);
  }
  return undefined;
}
