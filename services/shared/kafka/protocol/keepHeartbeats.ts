/** What is used here of kafkajs's member of a consumer group. */
export interface GroupMember {
  /** Wall clock, ms, of the last heartbeat. */
  lastRequest: number;
  heartbeat(options: { interval: number }): Promise<void>;
}

/**
 * Makes kafkajs go on with its heartbeats after the clock of the machine was set back. It would wait
 * until the clock is where it was, and lose its partitions meanwhile.
 */
export function keepHeartbeats(prototype: GroupMember): void {
  const { heartbeat } = prototype;
  prototype.heartbeat = function (options) {
    if (this.lastRequest > Date.now()) this.lastRequest = 0;
    return heartbeat.call(this, options);
  };
}
