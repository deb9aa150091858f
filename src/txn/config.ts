/** Settings of the transaction coordinator, in Kafka's names. */
export interface TxnConfig {
  transactionMaxTimeoutMs: number;
  transactionalIdExpirationMs: number;
  transactionAbortTimedOutTransactionCleanupIntervalMs: number;
  transactionRemoveExpiredTransactionCleanupIntervalMs: number;
  /** Ours: the records of one decision, which become one batch, must stay below the topic's max.message.bytes. */
  recordsMaxBytes: number;
}

export const DEFAULT_TXN_CONFIG: TxnConfig = {
  transactionMaxTimeoutMs: 900_000,
  transactionalIdExpirationMs: 604_800_000,
  transactionAbortTimedOutTransactionCleanupIntervalMs: 10_000,
  transactionRemoveExpiredTransactionCleanupIntervalMs: 3_600_000,
  recordsMaxBytes: 1_000_000,
};
