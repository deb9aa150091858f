import { ErrorCode } from '../../model/errors.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, closedError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';

const FIND_VERSIONS = { min: 0, max: 4 };
const GROUP_KEY_TYPE = 0;

/** The number of the broker that coordinates a group. @throws BrokerError, ConnectionLost */
export async function findCoordinator(cluster: Cluster, groupId: string): Promise<number> {
  const broker = await cluster.anyBroker();
  const request = { key: groupId, keyType: GROUP_KEY_TYPE, coordinatorKeys: [groupId] };
  const answer = await broker.request(findCoordinatorApi, FIND_VERSIONS, request);
  const found = answer.coordinators.length > 0 ? answer.coordinators[0] : answer;
  const { errorCode, errorMessage, nodeId, host, port } = found ?? answer;
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, `group ${groupId}`, errorMessage);
  cluster.meet([{ nodeId, host, port }]);
  return nodeId;
}

/**
 * What a member says on its own connections: JoinGroup waits at the broker until all members have come, and a broker
 * answers a connection's requests in their order. So heartbeats and commits take another one.
 */
export type Line = 'joining' | 'living';

/** The way to a group's coordinator, which moves with it. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #lines = new Map<Line, Promise<Exchange>>();
  #nodeId: Promise<number> | undefined;
  #isClosed = false;

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster;
    this.#groupId = groupId;
  }

  /** @throws BrokerError, ConnectionLost: the next call asks again who it is. */
  async line(line: Line): Promise<Exchange> {
    let opening = this.#lines.get(line);
    if (opening === undefined) this.#lines.set(line, (opening = this.#open()));
    try {
      const exchange = await opening;
      if (!exchange.isClosed) return exchange;
    } catch (error) {
      this.#drop(line, opening);
      throw error;
    }
    this.#drop(line, opening);
    return this.line(line);
  }

  /** It is another one now, or has gone. */
  forget(): void {
    this.#nodeId = undefined;
    for (const opening of this.#lines.values())
      opening.then(
        (exchange) => exchange.close(),
        () => {},
      );
    this.#lines.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.forget();
  }

  async #open(): Promise<Exchange> {
    this.#nodeId ??= findCoordinator(this.#cluster, this.#groupId);
    const exchange = await this.#cluster.open(await this.#nodeId);
    if (!this.#isClosed) return exchange;
    exchange.close();
    throw closedError('the consumer');
  }

  #drop(line: Line, opening: Promise<Exchange>): void {
    if (this.#lines.get(line) !== opening) return;
    this.#lines.delete(line);
    this.#nodeId = undefined;
  }
}
