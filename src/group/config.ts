/**
 * Settings of the group coordinator, in Kafka's names. Sizes in bytes, times in milliseconds unless named
 * otherwise.
 */
export interface GroupConfig {
  groupMinSessionTimeoutMs: number;
  groupMaxSessionTimeoutMs: number;
  /**
   * How long the first rebalance of an empty group waits for more members; 0 completes it with the first one.
   */
  groupInitialRebalanceDelayMs: number;
  groupMaxSize: number;
  /** Java measures it in UTF-16 units, and so do we. */
  offsetMetadataMaxBytes: number;
  offsetsRetentionMinutes: number;
  offsetsRetentionCheckIntervalMs: number;
  /**
   * How long a member that has not yet learnt its id may wait in JoinGroup. Kafka's constant: its client
   * cannot send heartbeats, so without it every retry of a slow rebalance would leave a dead member behind.
   */
  newMemberJoinTimeoutMs: number;
  /** Ours: ids handed out with MEMBER_ID_REQUIRED and not yet used, over all groups of a machine. */
  pendingMembersMax: number;
  consumerSessionTimeoutMs: number;
  consumerMinSessionTimeoutMs: number;
  consumerMaxSessionTimeoutMs: number;
  consumerHeartbeatIntervalMs: number;
  consumerMinHeartbeatIntervalMs: number;
  consumerMaxHeartbeatIntervalMs: number;
  consumerMaxSize: number;
  /** Names of assignors, the one first that groups have which ask for none. */
  consumerAssignors: readonly string[];
  /** A group's target assignment is made anew no sooner after the last one. */
  consumerAssignmentIntervalMs: number;
  consumerMinAssignmentIntervalMs: number;
  consumerMaxAssignmentIntervalMs: number;
  shareSessionTimeoutMs: number;
  shareMinSessionTimeoutMs: number;
  shareMaxSessionTimeoutMs: number;
  shareHeartbeatIntervalMs: number;
  shareMinHeartbeatIntervalMs: number;
  shareMaxHeartbeatIntervalMs: number;
  shareAssignmentIntervalMs: number;
  shareMinAssignmentIntervalMs: number;
  shareMaxAssignmentIntervalMs: number;
  shareMaxSize: number;
  /** Which way groups may move between the protocols. */
  consumerMigrationPolicy: MigrationPolicy;
  /**
   * Ours: the records of one decision, which become one batch, must stay below the topic's max.message.bytes.
   */
  recordsMaxBytes: number;
}

export const MIGRATION_POLICIES = ['bidirectional', 'disabled', 'downgrade', 'upgrade'] as const;
export type MigrationPolicy = (typeof MIGRATION_POLICIES)[number];

export const DEFAULT_GROUP_CONFIG: GroupConfig = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupInitialRebalanceDelayMs: 3_000,
  groupMaxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMinutes: 10_080,
  offsetsRetentionCheckIntervalMs: 600_000,
  newMemberJoinTimeoutMs: 300_000,
  pendingMembersMax: 10_000,
  consumerSessionTimeoutMs: 45_000,
  consumerMinSessionTimeoutMs: 45_000,
  consumerMaxSessionTimeoutMs: 60_000,
  consumerHeartbeatIntervalMs: 5_000,
  consumerMinHeartbeatIntervalMs: 5_000,
  consumerMaxHeartbeatIntervalMs: 15_000,
  consumerMaxSize: 2_147_483_647,
  consumerAssignors: ['uniform', 'range'],
  consumerAssignmentIntervalMs: 1_000,
  consumerMinAssignmentIntervalMs: 0,
  consumerMaxAssignmentIntervalMs: 15_000,
  shareSessionTimeoutMs: 45_000,
  shareMinSessionTimeoutMs: 45_000,
  shareMaxSessionTimeoutMs: 60_000,
  shareHeartbeatIntervalMs: 5_000,
  shareMinHeartbeatIntervalMs: 5_000,
  shareMaxHeartbeatIntervalMs: 15_000,
  shareAssignmentIntervalMs: 1_000,
  shareMinAssignmentIntervalMs: 0,
  shareMaxAssignmentIntervalMs: 15_000,
  shareMaxSize: 200,
  consumerMigrationPolicy: 'bidirectional',
  recordsMaxBytes: 1_000_000,
};

/** Settings over their defaults. */
export function groupConfig(given: Partial<GroupConfig> | (() => Partial<GroupConfig>)): () => GroupConfig {
  const read = typeof given === 'function' ? given : () => given;
  let last: Partial<GroupConfig> | undefined;
  let config = DEFAULT_GROUP_CONFIG;
  return () => {
    const now = read();
    if (now !== last) {
      last = now;
      config = { ...DEFAULT_GROUP_CONFIG, ...now };
    }
    return config;
  };
}
